// The scenario with Plivo's SDK for Java. Prints one line of JSON per step: {step, ok, detail}.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.plivo.api.PlivoClient;
import com.plivo.api.exceptions.AuthenticationException;
import com.plivo.api.exceptions.GeoPermissionException;
import com.plivo.api.exceptions.InvalidRequestException;
import com.plivo.api.exceptions.ResourceNotFoundException;
import com.plivo.api.models.base.ListResponse;
import com.plivo.api.models.base.LogLevel;
import com.plivo.api.models.verify_session.AttemptDetail;
import com.plivo.api.models.verify_session.SessionCreateResponse;
import com.plivo.api.models.verify_session.SessionLister;
import com.plivo.api.models.verify_session.VerifySession;
import com.plivo.api.models.verify_session.VerifySessionList;
import com.plivo.api.util.PropertyFilter;
import com.plivo.api.util.Utils;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import okhttp3.OkHttpClient;

public class Driver {
  static final String AUTH_ID = System.getenv("AUTH_ID");
  static final String AUTH_TOKEN = System.getenv("AUTH_TOKEN");
  static final String APP_UUID = System.getenv("APP_UUID");
  static final String SURROUNDINGS = System.getenv("SURROUNDINGS_URL");
  static final List<String> STEPS = List.of(System.getenv("STEPS").split(","));
  static final String UNKNOWN = "019c1341-1943-73cf-821f-d912d649c62a";
  static final String RECIPIENT = "14155551234";
  static final ObjectMapper JSON = new ObjectMapper();
  static final HttpClient HTTP = HttpClient.newHttpClient();

  static PlivoClient client;
  static String session;
  static String code;

  static PlivoClient clientWith(String token) {
    String base = System.getenv("COUNTERSIGN_URL");
    return new PlivoClient(
        AUTH_ID, token, new OkHttpClient.Builder(), base + "/v1/", new SimpleModule(), LogLevel.NONE);
  }

  static void step(String name, Callable<String> act) throws Exception {
    if (!STEPS.contains(name)) return;
    Map<String, Object> report = new HashMap<>(Map.of("step", name, "ok", true));
    try {
      report.put("detail", act.call());
    } catch (Exception | Error failure) {
      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      report.put("ok", false);
      report.put("detail", trace.toString());
    }
    System.out.println(JSON.writeValueAsString(report));
  }

  static void is(boolean holds, Object what) {
    if (!holds) throw new AssertionError("not so: " + what);
  }

  static void equal(Object actual, Object expected) {
    is(Objects.equals(actual, expected), actual + " is " + expected);
  }

  /** The text of the SDK's own exception, which is the raw body; fails on success and on another exception. */
  static String refused(Class<? extends Exception> type, Callable<?> act) throws Exception {
    Object answer;
    try {
      answer = act.call();
    } catch (Exception exception) {
      if (exception.getClass() != type) throw exception;
      return JSON.readTree(exception.getMessage()).get("error").asText();
    }
    throw new AssertionError("succeeded: " + answer);
  }

  static JsonNode surroundings(String method, String path) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(SURROUNDINGS + path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build();
    HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    is(response.statusCode() < 300, path + " answered " + response.statusCode());
    return method.equals("GET") ? JSON.readTree(response.body()) : null;
  }

  static JsonNode inbox(String recipient, int count) throws Exception {
    return surroundings("GET", "/inbox?recipient=" + recipient + "&count=" + count);
  }

  static SessionCreateResponse create(
      String appUuid, String recipient, String channel, String url, String method, String locale,
      String brandName, String appHash, Integer codeLength, Integer dtmf, String fraudCheck)
      throws Exception {
    return VerifySession.creator(
            appUuid, recipient, channel, url, method, locale, brandName, appHash, codeLength, dtmf, fraudCheck)
        .client(client)
        .create();
  }

  static SessionCreateResponse create(String recipient) throws Exception {
    return create(null, recipient, null, null, null, null, null, null, null, null, null);
  }

  static SessionCreateResponse validate(String session, String otp) throws Exception {
    return VerifySession.validation(session, otp).client(client).create();
  }

  static VerifySession retrieve(String session) throws Exception {
    return VerifySession.getter(session).client(client).get();
  }

  static ListResponse<VerifySessionList> list(SessionLister lister) throws Exception {
    lister.client(client);
    return lister.list();
  }

  static String recipients(SessionLister lister) throws Exception {
    List<VerifySessionList> sessions = list(lister).getSessions();
    return sessions.stream().map(VerifySession::getRecipient).collect(Collectors.joining(" "));
  }

  public static void main(String[] arguments) throws Exception {
    client = clientWith(AUTH_TOKEN);

    step("create", () -> {
      SessionCreateResponse created =
          create(
              APP_UUID, "+1 (415) 555-1234", "sms", SURROUNDINGS + "/status", "POST", "en_US",
              "Acme & Söhne", "FA+9qCX9VSu", 5, null, "disabled");
      equal(created.getMessage(), "Session initiated");
      equal(created.getApiId().length(), 36);
      session = created.getSessionUuid();
      equal(session.length(), 36);
      JsonNode message = inbox(RECIPIENT, 1).get(0);
      String text = message.get("text").asText();
      is(text.contains("Acme & Söhne") && text.endsWith("FA+9qCX9VSu"), text);
      code = message.get("otp").asText();
      equal(code.length(), 5);
      return "";
    });

    step("resend", () -> {
      // A code length of 0 stands for none.
      SessionCreateResponse resent =
          create(null, RECIPIENT, "voice", null, null, null, null, null, 0, 7, null);
      equal(resent.getSessionUuid(), session);
      JsonNode messages = inbox(RECIPIENT, 2);
      equal(messages.get(0).get("channel").asText(), "voice");
      equal(messages.get(1).get("channel").asText(), "sms");
      equal(messages.get(0).get("otp").asText(), code);
      equal(messages.get(1).get("otp").asText(), code);
      return "";
    });

    step("wrong-code", () -> {
      String wrong = code.equals("00000") ? "00001" : "00000";
      String text = refused(InvalidRequestException.class, () -> validate(session, wrong));
      is(text.contains("invalid OTP"), text);
      return "";
    });

    step("retrieve", () -> {
      VerifySession got = retrieve(session);
      equal(got.getApiId().length(), 36);
      equal(got.getSessionUuid(), session);
      equal(got.getId(), session);
      equal(got.getAppUuid(), APP_UUID);
      equal(got.getAlias(), "default");
      equal(got.getRecipient(), RECIPIENT);
      equal(got.getChannel(), "voice");
      equal(got.getLocale(), "en");
      equal(got.getStatus(), "in-progress");
      equal(got.getCount(), "2");
      equal(got.getRequestorIP(), "127.0.0.1");
      equal(got.getDestinationCountryIso2(), "US");
      got.getDestinationNetwork();
      AttemptDetail sms = got.getAttemptDetails().get(0);
      AttemptDetail voice = got.getAttemptDetails().get(1);
      equal(sms.getChannel(), "sms");
      equal(sms.getBrandName(), "Acme & Söhne");
      equal(sms.getAppHash(), "FA+9qCX9VSu");
      equal(sms.getCodeLength(), 5);
      equal(sms.getFraudCheck(), "disabled");
      is(List.of("queued", "sent", "delivered").contains(sms.getStatus()), sms.getStatus());
      equal(sms.getDtmf(), null);
      equal(voice.getChannel(), "voice");
      equal(voice.getDtmf(), 7);
      equal(voice.getFraudCheck(), "enabled");
      for (String time : List.of(got.getCreatedAt(), got.getUpdatedAt(), sms.getTime(), voice.getTime())) {
        is(time.matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z"), time);
      }
      equal(got.getCharges().getAttemptCharges().get(0).getAttemptUuid(), sms.getAttemptUuid());
      equal(got.getCharges().getAttemptCharges().get(1).getChannel(), "voice");
      for (String charge :
          List.of(
              got.getCharges().getTotalCharge(),
              got.getCharges().getValidationCharge(),
              got.getCharges().getAttemptCharges().get(0).getCharge())) {
        is(charge.matches("\\d+(\\.\\d+)?"), charge);
      }
      return "";
    });

    step("right-code", () -> {
      SessionCreateResponse validated = validate(session, code);
      equal(validated.getMessage(), "session validated successfully.");
      equal(validated.getSessionUuid(), session);
      equal(retrieve(session).getStatus(), "verified");
      return "";
    });

    step("second-validation", () -> {
      String text = refused(InvalidRequestException.class, () -> validate(session, code));
      is(text.contains("already verified"), text);
      return "";
    });

    step("expired", () -> {
      String created = create("14155551299").getSessionUuid();
      String otp = inbox("14155551299", 1).get(0).get("otp").asText();
      surroundings("POST", "/clock?seconds=601");
      String text = refused(InvalidRequestException.class, () -> validate(created, otp));
      is(text.contains("expired"), text);
      equal(retrieve(created).getStatus(), "expired");
      return "";
    });

    step("list", () -> {
      for (String recipient : List.of("14155551301", "14155551302", "14155551303")) create(recipient);
      SessionLister firstPage = VerifySession.lister();
      firstPage.limit(2);
      ListResponse<VerifySessionList> first = list(firstPage);
      equal(first.getSessions().size(), 2);
      equal(first.getSessions().get(0).getRecipient(), "14155551303");
      equal(first.getMeta().getLimit(), 2L);
      equal(first.getMeta().getOffset(), 0L);
      equal(first.getMeta().getPrevious(), null);
      is(first.getMeta().getNext().contains("offset=2"), first.getMeta().getNext());
      SessionLister secondPage = VerifySession.lister();
      secondPage.limit(2).offset(2);
      ListResponse<VerifySessionList> second = list(secondPage);
      equal(second.getSessions().get(0).getRecipient(), "14155551301");
      equal(second.getSessions().get(0).getCharges().getTotalCharge(), "0");
      is(second.getMeta().getPrevious().contains("offset=0"), second.getMeta().getPrevious());

      equal(recipients(VerifySession.lister().recipient("14155551302")), "14155551302");
      equal(recipients(VerifySession.lister().status("verified").appUuid(APP_UUID)), RECIPIENT);
      Date hourAgo = new Date(System.currentTimeMillis() - 3_600_000);
      Date yearAgo = new Date(System.currentTimeMillis() - 365 * 86_400_000L);
      String since = recipients(VerifySession.lister().sessionTime(new PropertyFilter<Date>().greaterThan(hourAgo)));
      is(since.startsWith("14155551303 "), since);
      String both =
          recipients(
              VerifySession.lister()
                  .sessionTime(new PropertyFilter<Date>().greaterOrEqual(yearAgo).lessOrEqual(hourAgo)));
      equal(both, "");
      return "";
    });

    step("list-by-attributes", () -> {
      equal(recipients(VerifySession.lister().recipient(RECIPIENT).alias("default").country("US")), RECIPIENT);
      equal(recipients(VerifySession.lister().country("FR")), "");
      return "";
    });

    step("bad-credentials", () -> {
      PlivoClient stranger = clientWith("x".repeat(40));
      return refused(
          AuthenticationException.class, () -> VerifySession.getter(session).client(stranger).get());
    });

    step("unknown-session", () -> {
      refused(ResourceNotFoundException.class, () -> validate(UNKNOWN, "123456"));
      return refused(ResourceNotFoundException.class, () -> retrieve(UNKNOWN));
    });

    step("bad-parameter", () -> {
      String text = refused(InvalidRequestException.class, () -> create("123"));
      is(text.contains("recipient"), text);
      return "";
    });

    step("geo-permission", () ->
        refused(GeoPermissionException.class, () -> create(System.getenv("BARRED_RECIPIENT"))));

    step("callbacks-by-post", () -> callbacks("POST", "14155551400", "14155551401"));
    step("callbacks-by-get", () -> callbacks("GET", "14155551500", "14155551501"));
  }

  /** Checks each callback with the SDK's own functions, and that they refuse what is not signed. */
  static String callbacks(String method, String... numbers) throws Exception {
    String[] paths = {"/status", "/status/?flow=log%20in&customer=42"};
    int count = 0;
    for (int index = 0; index < paths.length; index++) {
      String created =
          create(
                  null, numbers[index], null, SURROUNDINGS + paths[index], method, null, "Acme 2.0", null,
                  null, null, null)
              .getSessionUuid();
      for (JsonNode each : surroundings("GET", "/callbacks?count=2&session=" + created)) {
        equal(each.get("method").asText(), method);
        String url = each.get("url").asText();
        is(validV3(each, method, url, AUTH_TOKEN), "V3 of " + url);
        is(!validV3(each, method, url + (url.contains("?") ? "&" : "?") + "a=b", AUTH_TOKEN), "another URL");
        is(!validV3(each, method, url, AUTH_TOKEN + "!"), "V3 under another token is wrong");
        String v2 = each.get("signatureV2").asText();
        String nonce = each.get("nonceV2").asText();
        is(Utils.validateSignature(url, nonce, v2, AUTH_TOKEN), "V2 of " + url);
        is(!Utils.validateSignature(url, nonce + "1", v2, AUTH_TOKEN), "V2 of another nonce is wrong");
        count++;
      }
    }
    return count + " callbacks";
  }

  @SuppressWarnings("unchecked")
  static boolean validV3(JsonNode callback, String method, String url, String token) throws Exception {
    Map<String, String> parameters = new HashMap<>();
    callback.get("parameters").fields().forEachRemaining(
        (entry) -> parameters.put(entry.getKey(), entry.getValue().asText()));
    return Utils.validateSignatureV3(
        url, callback.get("nonceV3").asText(), callback.get("signatureV3").asText(), token, method, parameters);
  }
}
