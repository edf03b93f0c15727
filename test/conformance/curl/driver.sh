#!/usr/bin/env bash
# The scenario with plain curl, as in the public examples. Prints one line of JSON per step: {step, ok, detail}.
set -u

recipient=14155551234
unknown=019c1341-1943-73cf-821f-d912d649c62a
sessions="$COUNTERSIGN_URL/v1/Account/$AUTH_ID/Verify/Session/"
answer='' # the body of the last answer
status='' # its HTTP status
why=''    # the first thing of a step that was not so

# call [curl options…] URL: never follows a redirect, never fails.
call() {
  answer=$(curl --silent --show-error --user "$AUTH_ID:$AUTH_TOKEN" --header 'Content-Type: application/json' \
    --write-out '\n%{http_code}' "$@")
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
}

# The text of a field of the last answer, where it first stands.
field() { grep -o "\"$1\": *\"[^\"]*\"" <<<"$answer" | head -n 1 | sed 's/^"[^"]*": *"\(.*\)"$/\1/'; }

expect() { # what it is, what it should be
  [ "$1" = "$2" ] || why=${why:-"$1 is $2: $status $answer"}
}
expect_text() { # what the last answer has in it
  case $answer in *"$1"*) ;; *) why=${why:-"an answer with $1: $status $answer"} ;; esac
}
expect_no_text() {
  case $answer in *"$1"*) why=${why:-"an answer without $1: $status $answer"} ;; esac
}

create() { call --data "$1" "$sessions"; }
validate() { call --data "{\"otp\": \"$2\"}" "$sessions$1/"; }
surroundings() { answer=$(curl --silent --show-error --fail "$@") || why=${why:-"no answer from $*"}; }
inbox() { surroundings "$SURROUNDINGS_URL/inbox?recipient=$1&count=$2"; }
codes() { grep -o '"otp":"[0-9]*"' <<<"$answer" | grep -o '[0-9]*'; }

step() { # name, function
  case ",$STEPS," in *",$1,"*) ;; *) return ;; esac
  why=''
  "$2"
  local ok=true
  [ -z "$why" ] || ok=false
  why=${why//\\/\\\\}
  why=${why//\"/\\\"}
  printf '{"step": "%s", "ok": %s, "detail": "%s"}\n' "$1" "$ok" "${why//[[:cntrl:]]/ }"
}

create_step() {
  create "{
    \"recipient\": \"+1 (415) 555-1234\", \"app_uuid\": \"$APP_UUID\", \"channel\": \"sms\",
    \"url\": \"$SURROUNDINGS_URL/status\", \"method\": \"POST\", \"locale\": \"en_US\",
    \"brand_name\": \"Acme & Söhne\", \"app_hash\": \"FA+9qCX9VSu\", \"code_length\": 6, \"otp\": \"271828\",
    \"fraud_check\": \"disabled\", \"src\": \"ACME\"
  }"
  expect "$status" 202
  expect "$(field message)" 'Session initiated'
  session=$(field session_uuid)
  expect ${#session} 36
  inbox $recipient 1
  expect_text 'Acme & Söhne'
  expect_text 'FA+9qCX9VSu"'
  expect "$(codes)" 271828
}

resend() {
  create "{\"recipient\": $recipient, \"channel\": \"voice\", \"dtmf\": 7}"
  expect "$status" 202
  expect "$(field session_uuid)" "$session"
  inbox $recipient 2
  expect_text '"channel":"voice"'
  expect "$(codes)" $'271828\n271828'
}

wrong_code() {
  validate "$session" 000000
  expect "$status" 400
  expect_text 'invalid OTP'
}

retrieve() {
  call "$sessions$session/"
  expect "$status" 200
  expect "$(field session_uuid)" "$session"
  expect "$(field app_uuid)" "$APP_UUID"
  expect "$(field recipient)" $recipient
  expect "$(field status)" in-progress
  local name
  for name in api_id alias channel locale count requestor_ip destination_country_iso2 destination_network \
    attempt_details attempt_uuid time brand_name app_hash code_length dtmf fraud_check charges total_charge \
    validation_charge attempt_charges charge created_at updated_at; do
    expect_text "\"$name\":"
  done
}

right_code() {
  call --data '{"OTP": 271828}' "$sessions$session/"
  expect "$status" 200
  expect "$(field message)" 'session validated successfully.'
}

second_validation() {
  validate "$session" 271828
  expect "$status" 400
  expect_text 'already verified'
}

expired() {
  create '{"recipient": "14155551299"}'
  local created code
  created=$(field session_uuid)
  inbox 14155551299 1
  code=$(codes)
  surroundings --request POST "$SURROUNDINGS_URL/clock?seconds=601"
  validate "$created" "$code"
  expect "$status" 400
  expect_text expired
  call "$sessions$created/"
  expect "$(field status)" expired
}

list_step() {
  local each
  for each in 14155551301 14155551302 14155551303; do create "{\"recipient\": \"$each\"}"; done
  call "$sessions?limit=2"
  expect "$status" 200
  expect "$(field recipient)" 14155551303
  expect_text offset=2
  call "$sessions?limit=2&offset=2"
  expect "$(field recipient)" 14155551301
  call --get --data-urlencode "recipient=+14155551302" --data status=in-progress --data "app_uuid=$APP_UUID" "$sessions"
  expect "$(field recipient)" 14155551302
  call --get --data-urlencode 'session_time__gte=2020-01-31 08:52:39.363253' "$sessions"
  expect "$(field recipient)" 14155551303
  call --get --data-urlencode 'session_time__lt=2020-01-31 08:52' "$sessions"
  expect_text '"sessions":[]'
}

list_by_attributes() {
  call --get --data-urlencode 'brand_name=Acme & Söhne' --data-urlencode app_hash=FA+9qCX9VSu \
    --data alias=default --data country=US --data recipient=$recipient "$sessions"
  expect "$(field recipient)" $recipient
  call "$sessions?country=FR"
  expect_text '"sessions":[]'
}

bad_credentials() {
  call --user "$AUTH_ID:${AUTH_TOKEN}x" "$sessions$session/"
  expect "$status" 401
  expect_text '"error"'
}

unknown_session() {
  call "$sessions$unknown/"
  expect "$status" 404
  expect_text '"error"'
  validate $unknown 123456
  expect "$status" 404
}

bad_parameter() {
  create '{"recipient": "123"}'
  expect "$status" 400
  expect_text recipient
  expect_no_text session_uuid
}

geo_permission() {
  create "{\"recipient\": \"$BARRED_RECIPIENT\"}"
  expect "$status" 403
}

session=''
step create create_step
step resend resend
step wrong-code wrong_code
step retrieve retrieve
step right-code right_code
step second-validation second_validation
step expired expired
step list list_step
step list-by-attributes list_by_attributes
step bad-credentials bad_credentials
step unknown-session unknown_session
step bad-parameter bad_parameter
step geo-permission geo_permission
