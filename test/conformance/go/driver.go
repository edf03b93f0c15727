// The scenario with Plivo's SDK for Go. Prints one line of JSON per step: {step, ok, detail}.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/plivo/plivo-go/v7"
)

const (
	unknown   = "019c1341-1943-73cf-821f-d912d649c62a"
	recipient = "14155551234"
)

var (
	authID       = os.Getenv("AUTH_ID")
	authToken    = os.Getenv("AUTH_TOKEN")
	appUUID      = os.Getenv("APP_UUID")
	surroundings = os.Getenv("SURROUNDINGS_URL")
	steps        = strings.Split(os.Getenv("STEPS"), ",")
	decimal      = regexp.MustCompile(`^\d+(\.\d+)?$`)
)

func clientWith(token string) *plivo.Client {
	client, err := plivo.NewClient(authID, token, &plivo.ClientOptions{})
	none(err)
	client.BaseUrl, err = url.Parse(os.Getenv("COUNTERSIGN_URL"))
	none(err)
	return client
}

func step(name string, act func() string) {
	if !slices.Contains(steps, name) {
		return
	}
	report := map[string]any{"step": name, "ok": true}
	func() {
		defer func() {
			if failure := recover(); failure != nil {
				report["ok"], report["detail"] = false, fmt.Sprintf("%v\n%s", failure, debug.Stack())
			}
		}()
		report["detail"] = act()
	}()
	line, err := json.Marshal(report)
	none(err)
	fmt.Println(string(line))
}

func none(err error) {
	if err != nil {
		panic(err)
	}
}

func is(holds bool, what ...any) {
	if !holds {
		panic(fmt.Sprint(append([]any{"not so: "}, what...)...))
	}
}

func equal[T comparable](actual, expected T) {
	is(actual == expected, fmt.Sprintf("%v is %v", actual, expected))
}

// The text of an error, which the SDK makes of the raw body.
func refusal(err error) string {
	is(err != nil, "an error")
	var body struct {
		APIID string `json:"api_id"`
		Error string `json:"error"`
	}
	none(json.Unmarshal([]byte(err.Error()), &body))
	equal(len(body.APIID), 36)
	is(body.Error != "", "the error has a text")
	return body.Error
}

func get[T any](path string) (answer T) {
	response, err := http.Get(surroundings + path)
	none(err)
	defer response.Body.Close()
	equal(response.StatusCode, 200)
	none(json.NewDecoder(response.Body).Decode(&answer))
	return
}

type message struct{ Channel, Otp, Text string }

func inbox(recipient string, count int) []message {
	return get[[]message](fmt.Sprintf("/inbox?recipient=%s&count=%d", recipient, count))
}

type callback struct {
	Method, URL, NonceV2, SignatureV2, NonceV3, SignatureV3 string
	Parameters                                              map[string]string
}

func main() {
	sessions := clientWith(authToken).VerifySession
	var session, code string

	step("create", func() string {
		created, err := sessions.Create(plivo.SessionCreateParams{
			Recipient:  "+1 (415) 555-1234",
			AppUUID:    appUUID,
			Channel:    "sms",
			URL:        surroundings + "/status",
			Method:     "POST",
			Src:        "ACME",
			Locale:     "en_US",
			BrandName:  "Acme & Söhne",
			AppHash:    "FA+9qCX9VSu",
			CodeLength: 5,
			FraudCheck: "disabled",
		})
		none(err)
		equal(created.Message, "Session initiated")
		equal(created.Error, "")
		equal(len(created.APIID), 36)
		equal(len(created.SessionUUID), 36)
		session = created.SessionUUID
		sent := inbox(recipient, 1)[0]
		is(strings.Contains(sent.Text, "Acme & Söhne") && strings.HasSuffix(sent.Text, "FA+9qCX9VSu"), sent.Text)
		code = sent.Otp
		equal(len(code), 5)
		return ""
	})

	step("resend", func() string {
		key := 0
		resent, err := sessions.Create(plivo.SessionCreateParams{Recipient: recipient, Channel: "voice", Dtmf: &key})
		none(err)
		equal(resent.SessionUUID, session)
		messages := inbox(recipient, 2)
		equal(messages[0].Channel, "voice")
		equal(messages[1].Channel, "sms")
		equal(messages[0].Otp, code)
		equal(messages[1].Otp, code)
		return ""
	})

	step("wrong-code", func() string {
		wrong := "00000"
		if code == wrong {
			wrong = "00001"
		}
		_, err := sessions.Validate(plivo.SessionValidationParams{OTP: wrong}, session)
		is(strings.Contains(refusal(err), "invalid OTP"), err)
		_, err = sessions.Validate(plivo.SessionValidationParams{}, session)
		is(strings.Contains(refusal(err), "otp"), err)
		return ""
	})

	step("retrieve", func() string {
		got, err := sessions.Get(session)
		none(err)
		equal(len(got.APIID), 36)
		equal(got.SessionUUID, session)
		equal(got.AppUUID, appUUID)
		equal(got.Alias, "default")
		equal(got.Recipient, recipient)
		equal(got.Channel, "voice")
		equal(got.Locale, "en")
		equal(got.Status, "in-progress")
		equal(got.Count, 2)
		equal(got.RequesterIP, "127.0.0.1")
		equal(got.CountryISO, "US")
		equal(len(got.AttemptDetails), 2)
		sms, voice := got.AttemptDetails[0], got.AttemptDetails[1]
		equal(sms.Channel, "sms")
		equal(sms.BrandName, "Acme & Söhne")
		equal(sms.AppHash, "FA+9qCX9VSu")
		equal(sms.CodeLength, 5)
		equal(sms.FraudCheck, "disabled")
		is(slices.Contains([]string{"queued", "sent", "delivered"}, sms.Status), sms.Status)
		is(sms.Dtmf == nil, "the message has no key")
		equal(voice.Channel, "voice")
		equal(*voice.Dtmf, 0)
		equal(voice.FraudCheck, "enabled")
		for _, moment := range []time.Time{got.CreatedAt, got.UpdatedAt, sms.Time, voice.Time} {
			is(time.Since(moment).Abs() < time.Hour, moment)
		}
		equal(len(got.Charges.AttemptCharges), 2)
		equal(got.Charges.AttemptCharges[0].AttemptUUID, sms.AttemptUUID)
		equal(got.Charges.AttemptCharges[1].Channel, "voice")
		for _, charge := range []string{
			got.Charges.TotalCharge, got.Charges.ValidationCharge, got.Charges.AttemptCharges[0].Charge,
		} {
			is(decimal.MatchString(charge), charge)
		}
		return ""
	})

	step("right-code", func() string {
		validated, err := sessions.Validate(plivo.SessionValidationParams{OTP: code}, session)
		none(err)
		equal(validated.Message, "session validated successfully.")
		equal(validated.SessionUUID, session)
		got, err := sessions.Get(session)
		none(err)
		equal(got.Status, "verified")
		return ""
	})

	step("second-validation", func() string {
		_, err := sessions.Validate(plivo.SessionValidationParams{OTP: code}, session)
		is(strings.Contains(refusal(err), "already verified"), err)
		return ""
	})

	step("expired", func() string {
		created, err := sessions.Create(plivo.SessionCreateParams{Recipient: "14155551299"})
		none(err)
		otp := inbox("14155551299", 1)[0].Otp
		response, err := http.Post(surroundings+"/clock?seconds=601", "", nil)
		none(err)
		equal(response.StatusCode, 204)
		_, err = sessions.Validate(plivo.SessionValidationParams{OTP: otp}, created.SessionUUID)
		is(strings.Contains(refusal(err), "expired"), err)
		got, err := sessions.Get(created.SessionUUID)
		none(err)
		equal(got.Status, "expired")
		return ""
	})

	recipients := func(filters plivo.SessionListParams) string {
		list, err := sessions.List(filters)
		none(err)
		is(list.Sessions != nil, "sessions is an array")
		var found []string
		for _, each := range list.Sessions {
			found = append(found, each.Recipient)
		}
		return strings.Join(found, " ")
	}

	step("list", func() string {
		for _, each := range []string{"14155551301", "14155551302", "14155551303"} {
			_, err := sessions.Create(plivo.SessionCreateParams{Recipient: each})
			none(err)
		}
		first, err := sessions.List(plivo.SessionListParams{Limit: 2})
		none(err)
		equal(len(first.Sessions), 2)
		equal(first.Sessions[0].Recipient, "14155551303")
		equal(first.Meta.Limit, 2)
		equal(first.Meta.Offset, 0)
		is(first.Meta.Previous == nil, "the first page has none before it")
		is(strings.Contains(*first.Meta.Next, "offset=2"), *first.Meta.Next)
		second, err := sessions.List(plivo.SessionListParams{Limit: 2, Offset: 2})
		none(err)
		equal(second.Sessions[0].Recipient, "14155551301")
		is(strings.Contains(*second.Meta.Previous, "offset=0"), *second.Meta.Previous)
		equal(second.Sessions[0].Charges.TotalCharge, "0")

		equal(recipients(plivo.SessionListParams{Recipient: "14155551302"}), "14155551302")
		equal(recipients(plivo.SessionListParams{Status: "verified", AppUUID: appUUID}), recipient)
		hourAgo := time.Now().UTC().Add(-time.Hour)
		newest := func(list string) { is(strings.HasPrefix(list, "14155551303 "), list) }
		newest(recipients(plivo.SessionListParams{SessionTimeGreaterThan: hourAgo.Format("2006-01-02 15:04")}))
		newest(recipients(plivo.SessionListParams{
			SessionTimeGreaterOrEqual: hourAgo.Format("2006-01-02 15:04:05.000000"),
		}))
		equal(recipients(plivo.SessionListParams{SessionTimeLessThan: hourAgo.Format("2006-01-02 15:04:05")}), "")
		equal(recipients(plivo.SessionListParams{SessionTimeLessOrEqual: hourAgo.Format(time.RFC3339)}), "")
		return ""
	})

	step("list-by-attributes", func() string {
		equal(recipients(plivo.SessionListParams{
			Recipient: recipient, Alias: "default", Country: "US", BrandName: "Acme & Söhne", AppHash: "FA+9qCX9VSu",
		}), recipient)
		equal(recipients(plivo.SessionListParams{Country: "FR"}), "")
		return ""
	})

	step("bad-credentials", func() string {
		_, err := clientWith(strings.Repeat("x", 40)).VerifySession.Get(session)
		return refusal(err)
	})

	step("unknown-session", func() string {
		_, err := sessions.Validate(plivo.SessionValidationParams{OTP: "123456"}, unknown)
		refusal(err)
		_, err = sessions.Get(unknown)
		return refusal(err)
	})

	step("bad-parameter", func() string {
		_, err := sessions.Create(plivo.SessionCreateParams{Recipient: "123"})
		is(strings.Contains(refusal(err), "recipient"), err)
		return ""
	})

	step("geo-permission", func() string {
		_, err := sessions.Create(plivo.SessionCreateParams{Recipient: os.Getenv("BARRED_RECIPIENT")})
		return refusal(err)
	})

	// Checks each callback with the SDK's own functions, and that they refuse what is not signed.
	callbacks := func(method string, numbers ...string) string {
		count := 0
		for index, path := range []string{"/status", "/status/?flow=log%20in&customer=42"} {
			created, err := sessions.Create(plivo.SessionCreateParams{
				Recipient: numbers[index], URL: surroundings + path, Method: method, BrandName: "Acme 2.0",
			})
			none(err)
			for _, each := range get[[]callback]("/callbacks?count=2&session=" + created.SessionUUID) {
				equal(each.Method, method)
				v3 := func(uri, token string) bool {
					return plivo.ValidateSignatureV3(uri, each.NonceV3, method, each.SignatureV3, token, each.Parameters)
				}
				is(v3(each.URL, authToken), "V3 of ", each.URL)
				is(!v3(each.URL+"&a=b", authToken), "V3 of another URL is wrong")
				is(!v3(each.URL, authToken+"!"), "V3 under another token is wrong")
				v2 := func(nonce string) bool {
					return plivo.ValidateSignatureV2(each.URL, nonce, each.SignatureV2, authToken)
				}
				is(v2(each.NonceV2), "V2 of ", each.URL)
				is(!v2(each.NonceV2+"1"), "V2 of another nonce is wrong")
				count++
			}
		}
		return fmt.Sprint(count, " callbacks")
	}
	step("callbacks-by-post", func() string { return callbacks("POST", "14155551400", "14155551401") })
	step("callbacks-by-get", func() string { return callbacks("GET", "14155551500", "14155551501") })
}
