"""The scenario with Plivo's SDK for Python. Prints one line of JSON per step: {step, ok, detail}."""

import json
import os
import re
import traceback
import urllib.request
from datetime import datetime, timedelta, timezone

import plivo
from plivo import exceptions, utils

BASE = os.environ["COUNTERSIGN_URL"]
AUTH_ID = os.environ["AUTH_ID"]
AUTH_TOKEN = os.environ["AUTH_TOKEN"]
APP_UUID = os.environ["APP_UUID"]
SURROUNDINGS = os.environ["SURROUNDINGS_URL"]
STEPS = os.environ["STEPS"].split(",")
UNKNOWN = "019c1341-1943-73cf-821f-d912d649c62a"
RECIPIENT = "14155551234"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

plivo.rest.client.PLIVO_API_BASE_URI = BASE + "/v1/Account"
sessions = plivo.RestClient(AUTH_ID, AUTH_TOKEN).verify_session


def surroundings(path, method="GET"):
    request = urllib.request.Request(SURROUNDINGS + path, method=method)
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read() or "null")


def inbox(recipient, count):
    return surroundings(f"/inbox?recipient={recipient}&count={count}")


def refused(error, act):
    """The text of the SDK's own exception; fails on success and on another exception."""
    try:
        answer = act()
    except error as exception:
        assert type(exception) is error, repr(exception)
        return str(exception)
    raise AssertionError(f"succeeded: {answer}")


def step(name):
    """Runs the decorated function at once, and reports it."""

    def run(act):
        if name not in STEPS:
            return
        try:
            report = {"step": name, "ok": True, "detail": act() or ""}
        except Exception:
            report = {"step": name, "ok": False, "detail": traceback.format_exc()}
        print(json.dumps(report), flush=True)

    return run


def recipients(**filters):
    return [each.recipient for each in sessions.list(**filters)]


session = None
CODE = "271828"


@step("create")
def _():
    global session
    created = sessions.create(
        recipient="+1 (415) 555-1234",
        app_uuid=APP_UUID,
        otp=CODE,
        channel="sms",
        url=SURROUNDINGS + "/status",
        method="POST",
        locale="en_US",
        brand_name="Acme & Söhne",
        app_hash="FA+9qCX9VSu",
        code_length=6,
        fraud_check="disabled",
    )
    assert created.message == "Session initiated"
    assert len(created.api_id) == 36 and len(created.session_uuid) == 36
    session = created.session_uuid
    [message] = inbox(RECIPIENT, 1)
    assert "Acme & Söhne" in message["text"] and message["text"].endswith("FA+9qCX9VSu")
    assert message["otp"] == CODE


@step("resend")
def _():
    resent = sessions.create(recipient=RECIPIENT, channel="voice", dtmf=0)
    assert resent.session_uuid == session
    messages = inbox(RECIPIENT, 2)
    assert [(each["channel"], each["otp"]) for each in messages] == [("voice", CODE), ("sms", CODE)], messages


@step("wrong-code")
def _():
    wrong = lambda: sessions.validate(session_uuid=session, otp="000000")
    assert "invalid OTP" in refused(exceptions.ValidationError, wrong)
    assert "otp" in refused(exceptions.ValidationError, lambda: sessions.validate(session_uuid=session))


@step("retrieve")
def _():
    got = sessions.get(session)
    assert isinstance(got, plivo.resources.verify.Session) and got.id == session
    assert (got.session_uuid, got.app_uuid, got.alias) == (session, APP_UUID, "default")
    assert (got.recipient, got.channel, got.locale) == (RECIPIENT, "voice", "en")
    assert (got.status, got.count, got.requestor_ip) == ("in-progress", 2, "127.0.0.1")
    assert got.destination_country_iso2 == "US"
    assert got.destination_network is None or isinstance(got.destination_network, str)
    sms, voice = got.attempt_details
    assert (sms.channel, sms.brand_name, sms.app_hash) == ("sms", "Acme & Söhne", "FA+9qCX9VSu")
    assert (sms.code_length, sms.fraud_check) == (6, "disabled")
    assert sms.status in ("queued", "sent", "delivered") and "dtmf" not in sms
    assert (voice.channel, voice.dtmf, voice.fraud_check) == ("voice", 0, "enabled")
    for time in (got.created_at, got.updated_at, sms.time, voice.time):
        assert TIME.fullmatch(time), time
    charges = got.charges
    for charge in [charges.total_charge, charges.validation_charge] + [c.charge for c in charges.attempt_charges]:
        assert re.fullmatch(r"\d+(\.\d+)?", charge), charge
    assert [(each.attempt_uuid, each.channel) for each in charges.attempt_charges] == [
        (sms.attempt_uuid, "sms"),
        (voice.attempt_uuid, "voice"),
    ]


@step("right-code")
def _():
    validated = sessions.validate(session_uuid=session, otp=CODE)
    assert validated.message == "session validated successfully."
    assert validated.session_uuid == session
    assert sessions.get(session).status == "verified"


@step("second-validation")
def _():
    again = lambda: sessions.validate(session_uuid=session, otp=CODE)
    assert "already verified" in refused(exceptions.ValidationError, again)


@step("expired")
def _():
    created = sessions.create(recipient="14155551299")
    [message] = inbox("14155551299", 1)
    surroundings("/clock?seconds=601", "POST")
    late = lambda: sessions.validate(session_uuid=created.session_uuid, otp=message["otp"])
    assert "expired" in refused(exceptions.ValidationError, late)
    assert sessions.get(created.session_uuid).status == "expired"


@step("list")
def _():
    for recipient in ("14155551301", "14155551302", "14155551303"):
        sessions.create(recipient=recipient)
    first = sessions.list(limit=2)
    assert not first.has_error() and len(first) == 2
    assert [each.recipient for each in first] == ["14155551303", "14155551302"]
    assert (first.meta.limit, first.meta.offset, first.meta.previous) == (2, 0, None)
    assert first.meta.next.startswith("/v1/Account/") and "offset=2" in first.meta.next
    second = sessions.list(limit=2, offset=2)
    assert second.sessions[0].recipient == "14155551301" and "offset=0" in second.meta.previous
    assert second.sessions[0].charges.total_charge == "0"

    assert recipients(recipient="14155551302") == ["14155551302"]
    assert recipients(status="verified", app_uuid=APP_UUID) == [RECIPIENT]
    hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    assert recipients(session_time__gte=hour_ago.strftime("%Y-%m-%d %H:%M:%S.%f"))[0] == "14155551303"
    assert recipients(session_time__gt=hour_ago.strftime("%Y-%m-%d %H:%M"))[0] == "14155551303"
    assert recipients(session_time__lt=hour_ago.strftime("%Y-%m-%d %H:%M:%S")) == []
    assert recipients(session_time__lte=hour_ago.isoformat()) == []


@step("list-by-attributes")
def _():
    attributes = dict(alias="default", country="US", brand_name="Acme & Söhne", app_hash="FA+9qCX9VSu")
    assert recipients(recipient=RECIPIENT, **attributes) == [RECIPIENT]
    assert recipients(country="FR") == []


@step("bad-credentials")
def _():
    stranger = plivo.RestClient(AUTH_ID, "x" * 40).verify_session
    return refused(exceptions.AuthenticationError, lambda: stranger.get(session))


@step("unknown-session")
def _():
    refused(exceptions.ResourceNotFoundError, lambda: sessions.validate(session_uuid=UNKNOWN, otp="123456"))
    return refused(exceptions.ResourceNotFoundError, lambda: sessions.get(UNKNOWN))


@step("bad-parameter")
def _():
    assert "recipient" in refused(exceptions.ValidationError, lambda: sessions.create(recipient="123"))


@step("geo-permission")
def _():
    barred = os.environ["BARRED_RECIPIENT"]
    return refused(exceptions.GeoPermissionError, lambda: sessions.create(recipient=barred))


def check_callbacks(method, session_uuid):
    """Checks each callback with the SDK's own functions, and that they refuse what is not signed."""
    received = surroundings(f"/callbacks?session={session_uuid}&count=2")
    for each in received:
        assert each["method"] == method
        v3 = lambda url, token: utils.validate_v3_signature(
            method, url, each["nonceV3"], token, each["signatureV3"], dict(each["parameters"])
        )
        assert v3(each["url"], AUTH_TOKEN), each["url"]
        assert not v3(each["url"] + "&a=b", AUTH_TOKEN)
        assert not v3(each["url"], AUTH_TOKEN + "!")
        v2 = lambda nonce: utils.validate_signature(each["url"], nonce, each["signatureV2"], AUTH_TOKEN)
        assert v2(each["nonceV2"]), each["url"]
        assert not v2(each["nonceV2"] + "1")
    return len(received)


def callbacks(method, numbers):
    counts = []
    for recipient, path in zip(numbers, ("/status", "/status/?flow=log%20in&customer=42")):
        created = sessions.create(
            recipient=recipient, url=SURROUNDINGS + path, method=method, brand_name="Acme 2.0"
        )
        counts.append(check_callbacks(method, created.session_uuid))
    return f"{sum(counts)} callbacks"


@step("callbacks-by-post")
def _():
    return callbacks("POST", ("14155551400", "14155551401"))


@step("callbacks-by-get")
def _():
    return callbacks("GET", ("14155551500", "14155551501"))
