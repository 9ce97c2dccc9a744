### Core messages: Italian (it).
### Status: draft (machine), not reviewed by a native speaker.

## Parts of other messages

by-when =
    { $by-style ->
        [time] entro le { $by }
        [time-one] entro l'{ $by }
       *[other] entro { $by }
    }
unit-name =
    { $unit ->
        [lb] libbre
        [kg] chili
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] Abbiamo avvisato { $who }, che leggerà il messaggio { by-when }.
       *[no] Il nostro team potrebbe non leggere il Suo messaggio prima di { $opens }.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] Una persona sa già.
       *[no] Forse nessuno leggerà il Suo messaggio prima di { $opens }.
    }

## Crisis

crisis-medical = Grazie per averci scritto. Chiami subito il { $emergency } o chieda a qualcuno di chiamare. Questo è un messaggio automatico. { crisis-person } Può continuare a scrivere qui.
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = Grazie per averlo detto. Se è in pericolo ora, chiami il { $emergency }. A qualsiasi ora può chiamare il { $lifeline } per parlare con una persona. Dica "Italian" per avere un interprete. Questo è un messaggio automatico. { crisis-person } Può continuare a scrivere qui.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = Abbiamo ricevuto il Suo messaggio. Se ha bisogno di aiuto ora, chiami il { $emergency }. Questo è un messaggio automatico. { crisis-person-discreet } Può continuare a scrivere qui.
urgent-received = Grazie per averci scritto. Una persona La contatterà { by-when }. Se peggiora o se è in pericolo, chiami subito il { $emergency }. Questo è un messaggio automatico.
urgent-received-discreet = Abbiamo ricevuto il Suo messaggio. Una persona La contatterà { by-when }. Se non può aspettare, chiami il { $emergency }.
person-will-read = Grazie. Una persona leggerà il Suo messaggio { by-when }.
unknown-sender = Non conosciamo questo numero. Una persona leggerà il Suo messaggio. Può anche chiamare il { $phone }. Se è in pericolo, chiami subito il { $emergency }.

## Consent

stop-confirmation = { $clinic }: non riceverà altri messaggi da noi. Per ricominciare, risponda START.
stop-confirmation-discreet = Non riceverà altri messaggi. Per ricominciare, risponda START.
start-confirmation = { $clinic }: riceverà di nuovo i nostri messaggi. Risponda HELP per aiuto, STOP o BASTA per non riceverne altri. Messaggi e dati possono avere un costo.
start-confirmation-discreet = Riceverà di nuovo messaggi. Risponda HELP per aiuto, STOP o BASTA per non riceverne altri.
help = { $clinic }: per aiuto, chiami il { $phone }. Per non ricevere altri messaggi, risponda STOP o BASTA. Messaggi e dati possono avere un costo.
help-discreet = Per aiuto, chiami il { $phone }. Per non ricevere altri messaggi, risponda STOP o BASTA.

## Answers

reask-yes-no = Mi scusi, non era chiaro. Risponda sì o no.
reask-number = Mi scusi, non era chiaro. Risponda solo con il numero, in { unit-name }.
reask-number-discreet = Mi scusi, non era chiaro. Risponda solo con il numero.
reask-scale = Mi scusi, non era chiaro. Risponda con un numero da { $min } a { $max }.
reask-choice = Mi scusi, non era chiaro. Risponda con un solo numero da 1 a { $max }.
reask-visit = Mi scusi, non era chiaro. Risponda C per confermare, R per un altro orario o X se non può venire.
answer-thanks = Grazie. Abbiamo ricevuto la Sua risposta.
reading-thanks = Grazie. Abbiamo annotato { $value } { unit-short }.
reading-thanks-discreet = Grazie. Abbiamo ricevuto la Sua risposta.

## Links

link-invite =
    { $clinic }: per ricevere i nostri messaggi su Telegram, apra questo link. Funziona una sola volta.
    { $link }
link-invite-discreet =
    Per ricevere i messaggi su Telegram, apra questo link. Funziona una sola volta.
    { $link }
link-welcome = { $clinic }: riceverà qui i nostri messaggi. Telegram è di un'altra azienda, che potrebbe vederli. Risponda HELP per aiuto, STOP o BASTA per non riceverne più.
link-welcome-discreet = Riceverà qui i messaggi. Telegram è di un'altra azienda, che potrebbe vederli. Risponda HELP per aiuto, STOP o BASTA per non riceverne più.
link-over = Questo link non vale più. Ne chieda uno nuovo o chiami il { $phone }.

## Buttons

choice-confirm = Confermo
choice-reschedule = Un altro orario
choice-cant-come = Non posso venire
choice-yes = Sì
choice-no = No
