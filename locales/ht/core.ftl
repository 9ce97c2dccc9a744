### Core messages: Haitian Creole (ht).
### Status: draft (machine), not reviewed by a native speaker.

## Parts of other messages

by-when = anvan { $by }
unit-name =
    { $unit ->
        [lb] liv
        [kg] kilo
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] { $who } okouran, e l ap li mesaj sa a { by-when }.
       *[no] Li posib pou ekip nou an pa li mesaj ou a anvan { $opens }.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] Yon moun okouran.
       *[no] Li posib pou pèsonn pa li mesaj ou a anvan { $opens }.
    }

## Crisis

crisis-medical = Mèsi dèske ou fè nou konnen. Tanpri rele { $emergency } kounye a, oswa mande yon moun rele pou ou. Sa a se yon mesaj otomatik. { crisis-person } Ou ka kontinye ekri la a.
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = Mèsi dèske ou di nou sa. Si ou an danje kounye a, rele { $emergency }. Ou ka rele { $lifeline } nenpòt lè pou pale ak yon moun. Di "Haitian Creole" pou jwenn entèprèt. Sa a se yon mesaj otomatik. { crisis-person } Ou ka kontinye ekri la a.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = Nou resevwa mesaj ou a. Si ou bezwen èd kounye a, rele { $emergency }. Sa a se yon mesaj otomatik. { crisis-person-discreet } Ou ka kontinye ekri la a.
urgent-received = Mèsi dèske ou fè nou konnen. Yon moun ap kontakte ou { by-when }. Si sa vin pi mal oswa ou an danje, rele { $emergency } touswit. Sa a se yon mesaj otomatik.
urgent-received-discreet = Nou resevwa mesaj ou a. Yon moun ap kontakte ou { by-when }. Si ou pa ka tann, rele { $emergency }.
person-will-read = Mèsi. Yon moun ap li mesaj ou a { by-when }.
unknown-sender = Nou pa konnen nimewo sa a. Yon moun ap li mesaj ou a. Ou ka rele tou { $phone }. Si ou an danje, rele { $emergency } touswit.

## Consent

stop-confirmation = { $clinic }: Ou p ap resevwa mesaj nan men nou ankò. Pou rekòmanse, reponn START.
stop-confirmation-discreet = Ou p ap resevwa mesaj ankò. Pou rekòmanse, reponn START.
start-confirmation = { $clinic }: Ou pral resevwa mesaj nan men nou ankò. Reponn HELP pou jwenn èd, oswa STOP oswa SISPANN pou fini. Konpayi telefòn ou ka mande lajan pou mesaj ak done.
start-confirmation-discreet = Ou pral resevwa mesaj ankò. Reponn HELP pou jwenn èd, oswa STOP oswa SISPANN pou fini.
help = { $clinic }: Pou jwenn èd, rele { $phone }. Pou pa resevwa mesaj ankò, reponn STOP oswa SISPANN. Konpayi telefòn ou ka mande lajan pou mesaj ak done.
help-discreet = Pou jwenn èd, rele { $phone }. Pou pa resevwa mesaj ankò, reponn STOP oswa SISPANN.

## Answers

reask-yes-no = Padon, nou pa konprann. Tanpri reponn wi oswa non.
reask-number = Padon, nou pa konprann. Tanpri reponn ak chif la sèlman, an { unit-name }.
reask-number-discreet = Padon, nou pa konprann. Tanpri reponn ak chif la sèlman.
reask-scale = Padon, nou pa konprann. Tanpri reponn ak yon chif ant { $min } ak { $max }.
reask-choice = Padon, nou pa konprann. Tanpri reponn ak yon sèl chif, ant 1 ak { $max }.
reask-visit = Padon, nou pa konprann. Tanpri reponn C pou konfime, R pou yon lòt lè oswa X si ou pa ka vini.
answer-thanks = Mèsi. Nou resevwa repons ou.
reading-thanks = Mèsi. Nou ekri { $value } { unit-short }.
reading-thanks-discreet = Mèsi. Nou resevwa repons ou.

## Links

link-invite =
    { $clinic }: pou resevwa mesaj nou yo sou Telegram, louvri lyen sa a. Li mache yon sèl fwa.
    { $link }
link-invite-discreet =
    Pou resevwa mesaj yo sou Telegram, louvri lyen sa a. Li mache yon sèl fwa.
    { $link }
link-welcome = { $clinic }: w ap resevwa mesaj nou yo isit la. Telegram se yon lòt konpayi ki ka wè yo. Reponn HELP pou èd, STOP oswa SISPANN pou fini.
link-welcome-discreet = W ap resevwa mesaj yo isit la. Telegram se yon lòt konpayi ki ka wè yo. Reponn HELP pou èd, STOP oswa SISPANN pou fini.
link-over = Lyen sa a pa mache ankò. Mande yon nouvo, oswa rele { $phone }.

## Buttons

choice-confirm = Mwen konfime
choice-reschedule = Yon lòt lè
choice-cant-come = Mwen pa ka vini
choice-yes = Wi
choice-no = Non
