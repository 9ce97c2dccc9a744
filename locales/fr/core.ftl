### Core messages: French (fr).
### Status: draft (machine), not reviewed by a native speaker.

## Parts of other messages

by-when = avant { $by }
unit-name =
    { $unit ->
        [lb] livres
        [kg] kilos
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] { $who } a l'information et lira ce message { by-when }.
       *[no] Il se peut que notre équipe ne lise pas votre message avant { $opens }.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] Une personne a l'information.
       *[no] Il se peut que personne ne lise votre message avant { $opens }.
    }

## Crisis

crisis-medical = Merci de nous prévenir. Appelez le { $emergency } maintenant, ou demandez à quelqu'un d'appeler. Ce message est automatique. { crisis-person } Vous pouvez continuer à écrire ici.
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = Merci de nous le dire. Si vous êtes en danger maintenant, appelez le { $emergency }. À toute heure, vous pouvez appeler le { $lifeline } pour parler avec une personne. Dites "French" pour avoir un interprète. Ce message est automatique. { crisis-person } Vous pouvez continuer à écrire ici.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = Nous avons votre message. S'il vous faut de l'aide maintenant, appelez le { $emergency }. Ce message est automatique. { crisis-person-discreet } Vous pouvez continuer à écrire ici.
urgent-received = Merci de nous prévenir. Une personne vous contactera { by-when }. Si cela s'aggrave ou si vous êtes en danger, appelez tout de suite le { $emergency }. Ce message est automatique.
urgent-received-discreet = Nous avons votre message. Une personne vous contactera { by-when }. Si vous ne pouvez pas attendre, appelez le { $emergency }.
person-will-read = Merci. Une personne lira votre message { by-when }.
unknown-sender = Nous ne connaissons pas ce numéro. Une personne lira votre message. Vous pouvez aussi appeler le { $phone }. En cas de danger, appelez tout de suite le { $emergency }.

## Consent

stop-confirmation = { $clinic } : vous ne recevrez plus nos messages. Pour recommencer, répondez START.
stop-confirmation-discreet = Vous ne recevrez plus de messages. Pour recommencer, répondez START.
start-confirmation = { $clinic } : vous recevrez de nouveau nos messages. Répondez HELP ou AIDE pour de l'aide, STOP ou ARRET pour ne plus en recevoir. Des frais de messages et de données sont possibles.
start-confirmation-discreet = Vous recevrez de nouveau des messages. Répondez HELP ou AIDE pour de l'aide, STOP ou ARRET pour ne plus en recevoir.
help = { $clinic } : pour de l'aide, appelez le { $phone }. Pour ne plus recevoir de messages, répondez STOP ou ARRET. Des frais de messages et de données sont possibles.
help-discreet = Pour de l'aide, appelez le { $phone }. Pour ne plus recevoir de messages, répondez STOP ou ARRET.

## Answers

reask-yes-no = Pardon, la réponse n'était pas claire. Répondez oui ou non.
reask-number = Pardon, la réponse n'était pas claire. Répondez seulement avec le nombre, en { unit-name }.
reask-number-discreet = Pardon, la réponse n'était pas claire. Répondez seulement avec le nombre.
reask-scale = Pardon, la réponse n'était pas claire. Répondez avec un nombre de { $min } à { $max }.
reask-choice = Pardon, la réponse n'était pas claire. Répondez avec un seul nombre, de 1 à { $max }.
reask-visit = Pardon, la réponse n'était pas claire. Répondez C pour confirmer, R pour une autre heure ou X si vous ne pouvez pas venir.
answer-thanks = Merci. Nous avons votre réponse.
reading-thanks = Merci. Nous avons noté { $value } { unit-short }.
reading-thanks-discreet = Merci. Nous avons votre réponse.

## Links

link-invite =
    { $clinic } : pour recevoir nos messages sur Telegram, ouvrez ce lien. Il ne sert qu'une fois.
    { $link }
link-invite-discreet =
    Pour recevoir les messages sur Telegram, ouvrez ce lien. Il ne sert qu'une fois.
    { $link }
link-welcome = { $clinic } : vous recevrez nos messages ici. Telegram est une autre entreprise, qui pourrait les voir. Répondez HELP ou AIDE pour de l'aide, STOP ou ARRET pour ne plus en recevoir.
link-welcome-discreet = Vous recevrez les messages ici. Telegram est une autre entreprise, qui pourrait les voir. Répondez HELP ou AIDE pour de l'aide, STOP ou ARRET pour ne plus en recevoir.
link-over = Ce lien ne sert plus. Demandez-en un nouveau ou appelez le { $phone }.

## Buttons

choice-confirm = Je confirme
choice-reschedule = Un autre moment
choice-cant-come = Je ne peux pas venir
choice-yes = Oui
choice-no = Non
