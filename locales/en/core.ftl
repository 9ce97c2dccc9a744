### Core messages: English (en).
### Status: draft (machine), not reviewed by a clinician.
###
### STOP, START and HELP stay in Latin capitals in every language, with the local word beside STOP where
### there is one. A name that ends in "-discreet" is sent where somebody else may read the phone: it names
### no clinic, no topic and nothing about health.

## Parts of other messages

# $by: a date, a time or both. $by-style says which: date, time, time-one (the hour shown is one), datetime.
by-when = by { $by }
# $unit: lb, kg or a unit that is written the same everywhere.
unit-name =
    { $unit ->
        [lb] pounds
        [kg] kilograms
       *[other] { $unit }
    }
# The form after a number.
unit-short = { unit-name }
# $staffed: yes if somebody on duty was told and reads in time. Otherwise nobody was told: the reply says so and
# promises nothing, it only names the next opening ($opens), before which the message may stay unread.
crisis-person =
    { $staffed ->
        [yes] { $who } has been told and will read this { by-when }.
       *[no] Our team may not read your message before { $opens }.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] A person has been told.
       *[no] Your message may not be read before { $opens }.
    }

## Crisis

crisis-medical = Thank you for telling us. Please call { $emergency } now, or ask someone to call for you. This is an automatic message. { crisis-person } You can keep writing here.
crisis-medical-discreet = { crisis-discreet }
# $lifeline takes calls and texts in English and Spanish, calls with an interpreter in other languages.
crisis-self-harm = Thank you for telling us. If you are in danger now, call { $emergency }. You can call or text { $lifeline } any time to talk with a counselor. This is an automatic message. { crisis-person } You can keep writing here.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = We have your message. If you need help now, call { $emergency }. This is an automatic message. { crisis-person-discreet } You can keep writing here.
urgent-received = Thank you for telling us. Someone will contact you { by-when }. If it gets worse or you are in danger, call { $emergency } now. This is an automatic message.
urgent-received-discreet = We have your message. A person will contact you { by-when }. If you cannot wait, call { $emergency }.
person-will-read = Thank you. A person will read your message { by-when }.
# The sender's number belongs to nobody whom the clinic knows.
unknown-sender = We do not know this number. A person will read your message. You can also call { $phone }. If you are in danger, call { $emergency } now.

## Consent

stop-confirmation = { $clinic }: You will get no more messages from us. To start again, reply START.
stop-confirmation-discreet = You will get no more messages. To start again, reply START.
start-confirmation = { $clinic }: You will get messages from us again. Reply HELP for help or STOP to end. Message and data rates may apply.
start-confirmation-discreet = You will get messages again. Reply HELP for help or STOP to end.
help = { $clinic }: For help, call { $phone }. To get no more messages, reply STOP. Message and data rates may apply.
help-discreet = For help, call { $phone }. To get no more messages, reply STOP.

## Answers

reask-yes-no = Sorry, that was not clear. Please reply yes or no.
reask-number = Sorry, that was not clear. Please reply with the number only, in { unit-name }.
reask-number-discreet = Sorry, that was not clear. Please reply with the number only.
reask-scale = Sorry, that was not clear. Please reply with a number from { $min } to { $max }.
reask-choice = Sorry, that was not clear. Please reply with one number from 1 to { $max }.
reask-visit = Sorry, that was not clear. Please reply C to confirm, R for another time or X if you can't come.
answer-thanks = Thank you. We have your answer.
reading-thanks = Thank you. We noted { $value } { unit-short }.
reading-thanks-discreet = Thank you. We have your answer.

## Links

# $link: opens a chat with our bot, once. It stands on a line of its own.
link-invite =
    { $clinic }: to get our messages on Telegram, open this link. It works once.
    { $link }
link-invite-discreet =
    To get the messages on Telegram, open this link. It works once.
    { $link }
# Says what may be seen by whom: it stands for the notice to which who came agreed.
link-welcome = { $clinic }: You will get our messages here. Telegram is another company and may see them. Reply HELP for help or STOP to end.
link-welcome-discreet = You will get the messages here. Telegram is another company and may see them. Reply HELP for help or STOP to end.
# To whoever follows a link that is used, too old or none: names nobody.
link-over = This link can't be used any more. Please ask for a new one, or call { $phone }.

## Buttons

# What stands on a button. Pressed, it says C, R or X; yes and no say what stands there.
choice-confirm = Confirm
choice-reschedule = Another time
choice-cant-come = I can't come
choice-yes = Yes
choice-no = No
