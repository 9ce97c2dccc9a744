### Core messages: Polish (pl), in impersonal forms, which do not say whether a man or a woman is addressed.
### Status: draft (machine), not reviewed by a native speaker.

## Parts of other messages

by-when = do { $by }
unit-name =
    { $unit ->
        [lb] funtach
        [kg] kilogramach
       *[other] { $unit }
    }
unit-short =
    { $unit ->
        [lb] lb
        [kg] kg
       *[other] { $unit }
    }
crisis-person =
    { $staffed ->
        [yes] { $who } już o tym wie i przeczyta to { by-when }.
       *[no] Możliwe, że nasz zespół nie przeczyta tego przed { $opens }.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] Jedna osoba już o tym wie.
       *[no] Możliwe, że nikt tego nie przeczyta przed { $opens }.
    }

## Crisis

crisis-medical = Dziękujemy za wiadomość. Proszę teraz zadzwonić pod { $emergency } albo poprosić kogoś o telefon. To wiadomość automatyczna. { crisis-person } Można dalej tu pisać.
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = Dziękujemy za te słowa. W niebezpieczeństwie proszę zaraz zadzwonić pod { $emergency }. O każdej porze można zadzwonić pod { $lifeline } i porozmawiać z człowiekiem. Proszę powiedzieć "Polish", aby dostać tłumacza. To wiadomość automatyczna. { crisis-person } Można dalej tu pisać.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = Mamy tę wiadomość. Jeśli pomoc jest potrzebna teraz, proszę zadzwonić pod { $emergency }. To wiadomość automatyczna. { crisis-person-discreet } Można dalej tu pisać.
urgent-received = Dziękujemy za wiadomość. Ktoś się odezwie { by-when }. Jeśli będzie gorzej albo jest niebezpiecznie, proszę zaraz zadzwonić pod { $emergency }. To wiadomość automatyczna.
urgent-received-discreet = Mamy tę wiadomość. Ktoś się odezwie { by-when }. Jeśli nie można czekać, proszę zadzwonić pod { $emergency }.
person-will-read = Dziękujemy. Człowiek przeczyta tę wiadomość { by-when }.
unknown-sender = Nie znamy tego numeru. Człowiek przeczyta tę wiadomość. Można też zadzwonić: { $phone }. W niebezpieczeństwie proszę zaraz zadzwonić pod { $emergency }.

## Consent

stop-confirmation = { $clinic }: nie będziemy już wysyłać wiadomości. Aby zacząć od nowa, proszę odpisać START.
stop-confirmation-discreet = Wiadomości nie będą już przychodzić. Aby zacząć od nowa, proszę odpisać START.
start-confirmation = { $clinic }: nasze wiadomości będą znów przychodzić. Pomoc: proszę odpisać HELP. Koniec: STOP lub KONIEC. Operator może pobrać opłatę za wiadomości i dane.
start-confirmation-discreet = Wiadomości będą znów przychodzić. Pomoc: proszę odpisać HELP. Koniec: STOP lub KONIEC.
help = { $clinic }: pomoc pod numerem { $phone }. Aby nie dostawać wiadomości, proszę odpisać STOP lub KONIEC. Operator może pobrać opłatę za wiadomości i dane.
help-discreet = Pomoc pod numerem { $phone }. Aby nie dostawać wiadomości, proszę odpisać STOP lub KONIEC.

## Answers

reask-yes-no = Przepraszamy, to nie było jasne. Proszę odpisać tak lub nie.
reask-number = Przepraszamy, to nie było jasne. Proszę podać samą liczbę, w { unit-name }.
reask-number-discreet = Przepraszamy, to nie było jasne. Proszę podać samą liczbę.
reask-scale = Przepraszamy, to nie było jasne. Proszę podać liczbę od { $min } do { $max }.
reask-choice = Przepraszamy, to nie było jasne. Proszę podać jedną liczbę od 1 do { $max }.
reask-visit = Przepraszamy, to nie było jasne. Proszę odpisać C - będę, R - inny termin lub X - nie mogę przyjść.
answer-thanks = Dziękujemy. Mamy odpowiedź.
reading-thanks = Dziękujemy. Zapisaliśmy: { $value } { unit-short }.
reading-thanks-discreet = Dziękujemy. Mamy odpowiedź.

## Links

link-invite =
    { $clinic }: aby otrzymywać nasze wiadomości w Telegramie, proszę otworzyć ten link. Działa tylko raz.
    { $link }
link-invite-discreet =
    Aby otrzymywać wiadomości w Telegramie, proszę otworzyć ten link. Działa tylko raz.
    { $link }
link-welcome = { $clinic }: nasze wiadomości będą przychodzić tutaj. Telegram to inna firma, która może je widzieć. Po pomoc proszę odpisać HELP, a żeby zakończyć, STOP lub KONIEC.
link-welcome-discreet = Wiadomości będą przychodzić tutaj. Telegram to inna firma, która może je widzieć. Po pomoc proszę odpisać HELP, a żeby zakończyć, STOP lub KONIEC.
link-over = Ten link już nie działa. Proszę poprosić o nowy lub zadzwonić: { $phone }.

## Buttons

choice-confirm = Potwierdzam
choice-reschedule = Inny termin
choice-cant-come = Nie mogę przyjść
choice-yes = Tak
choice-no = Nie
