### Core messages: Korean (ko).
### Status: draft (machine), not reviewed by a native speaker.

## Parts of other messages

by-when = { $by }까지
unit-name =
    { $unit ->
        [lb] 파운드
        [kg] 킬로그램
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] { $who } 님에게 알렸으며 { by-when } 읽습니다.
       *[no] { $opens } 전에는 담당자가 메시지를 읽지 못할 수 있습니다.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] 담당자에게 알렸습니다.
       *[no] { $opens } 전에는 메시지를 읽는 사람이 없을 수 있습니다.
    }

## Crisis

crisis-medical = 알려 주셔서 감사합니다. 지금 { $emergency }에 전화하시거나, 다른 사람에게 전화를 부탁하세요. 자동 메시지입니다. { crisis-person } 여기에 계속 쓰셔도 됩니다.
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = 말씀해 주셔서 감사합니다. 지금 위험하시면 { $emergency }에 전화하세요. 언제든 { $lifeline }에 전화하셔서 상담할 수 있습니다. "Korean"이라고 하시면 통역이 연결됩니다. 자동 메시지입니다. { crisis-person } 여기에 계속 쓰셔도 됩니다.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = 메시지를 받았습니다. 지금 도움이 필요하시면 { $emergency }에 전화하세요. 자동 메시지입니다. { crisis-person-discreet } 여기에 계속 쓰셔도 됩니다.
urgent-received = 알려 주셔서 감사합니다. { by-when } 담당자가 연락드립니다. 더 나빠지거나 위험하시면 바로 { $emergency }에 전화하세요. 자동 메시지입니다.
urgent-received-discreet = 메시지를 받았습니다. { by-when } 연락드립니다. 기다리기 어려우시면 { $emergency }에 전화하세요.
person-will-read = 감사합니다. { by-when } 담당자가 메시지를 읽습니다.
unknown-sender = 등록되지 않은 번호입니다. 담당자가 메시지를 읽습니다. { $phone }(으)로 전화하셔도 됩니다. 위험하시면 바로 { $emergency }에 전화하세요.

## Consent

stop-confirmation = { $clinic }: 더 이상 메시지를 보내지 않습니다. 다시 받으시려면 START라고 답해 주세요.
stop-confirmation-discreet = 더 이상 메시지가 가지 않습니다. 다시 받으시려면 START라고 답해 주세요.
start-confirmation = { $clinic }: 다시 메시지를 보내 드립니다. 도움말은 HELP, 중단은 STOP 또는 중지라고 답해 주세요. 문자와 데이터 요금이 들 수 있습니다.
start-confirmation-discreet = 다시 메시지를 보내 드립니다. 도움말은 HELP, 중단은 STOP 또는 중지라고 답해 주세요.
help = { $clinic }: 도움이 필요하시면 { $phone }(으)로 전화하세요. 메시지를 그만 받으시려면 STOP 또는 중지라고 답해 주세요. 문자와 데이터 요금이 들 수 있습니다.
help-discreet = 도움이 필요하시면 { $phone }(으)로 전화하세요. 메시지를 그만 받으시려면 STOP 또는 중지라고 답해 주세요.

## Answers

reask-yes-no = 죄송합니다. 이해하지 못했습니다. 네 또는 아니요로 답해 주세요.
reask-number = 죄송합니다. 이해하지 못했습니다. 숫자만 보내 주세요(단위: { unit-name }).
reask-number-discreet = 죄송합니다. 이해하지 못했습니다. 숫자만 보내 주세요.
reask-scale = 죄송합니다. 이해하지 못했습니다. { $min }부터 { $max } 사이의 숫자를 보내 주세요.
reask-choice = 죄송합니다. 이해하지 못했습니다. 1부터 { $max } 사이의 숫자 하나를 보내 주세요.
reask-visit = 죄송합니다. 이해하지 못했습니다. C 확인, R 다른 시간, X 못 감 중 하나로 답해 주세요.
answer-thanks = 감사합니다. 답을 받았습니다.
reading-thanks = 감사합니다. 기록했습니다: { $value } { unit-short }.
reading-thanks-discreet = 감사합니다. 답을 받았습니다.

## Links

link-invite =
    { $clinic }: 텔레그램으로 메시지를 받으시려면 이 링크를 열어 주세요. 한 번만 쓸 수 있습니다.
    { $link }
link-invite-discreet =
    텔레그램으로 메시지를 받으시려면 이 링크를 열어 주세요. 한 번만 쓸 수 있습니다.
    { $link }
link-welcome = { $clinic }: 이제 여기로 메시지를 보내 드립니다. 텔레그램은 다른 회사이며 메시지를 볼 수 있습니다. 도움이 필요하시면 HELP, 그만 받으시려면 STOP 또는 중지라고 답해 주세요.
link-welcome-discreet = 이제 여기로 메시지를 보내 드립니다. 텔레그램은 다른 회사이며 메시지를 볼 수 있습니다. 도움이 필요하시면 HELP, 그만 받으시려면 STOP 또는 중지라고 답해 주세요.
link-over = 이 링크는 더 이상 쓸 수 없습니다. 새 링크를 요청하시거나 { $phone }(으)로 전화하세요.

## Buttons

choice-confirm = 확인
choice-reschedule = 다른 시간
choice-cant-come = 못 감
choice-yes = 예
choice-no = 아니요
