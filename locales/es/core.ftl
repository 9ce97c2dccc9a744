### Core messages: Spanish (es).
### Status: draft (machine), not reviewed by a native speaker.

## Parts of other messages

by-when =
    { $by-style ->
        [time] antes de las { $by }
        [time-one] antes de la { $by }
       *[other] a más tardar el { $by }
    }
unit-name =
    { $unit ->
        [lb] libras
        [kg] kilos
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] { $who } ya recibió el aviso y leerá este mensaje { by-when }.
       *[no] Es posible que nuestro equipo no lea su mensaje antes del { $opens }.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] Ya avisamos a una persona.
       *[no] Es posible que nadie lea su mensaje antes del { $opens }.
    }

## Crisis

crisis-medical = Gracias por avisarnos. Llame ahora al { $emergency } o pida que alguien llame por usted. Este es un mensaje automático. { crisis-person } Puede seguir escribiendo aquí.
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = Gracias por decirnos esto. Si está en peligro ahora, llame al { $emergency }. A cualquier hora puede llamar al { $lifeline }, o enviarle un texto con la palabra AYUDA, para hablar con una persona. Este es un mensaje automático. { crisis-person } Puede seguir escribiendo aquí.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = Recibimos su mensaje. Si necesita ayuda ahora, llame al { $emergency }. Este es un mensaje automático. { crisis-person-discreet } Puede seguir escribiendo aquí.
urgent-received = Gracias por avisarnos. Una persona se comunicará con usted { by-when }. Si empeora o si está en peligro, llame ahora al { $emergency }. Este es un mensaje automático.
urgent-received-discreet = Recibimos su mensaje. Una persona se comunicará con usted { by-when }. Si no puede esperar, llame al { $emergency }.
person-will-read = Gracias. Una persona leerá su mensaje { by-when }.
unknown-sender = No conocemos este número. Una persona leerá su mensaje. También puede llamar al { $phone }. Si está en peligro, llame ahora al { $emergency }.

## Consent

stop-confirmation = { $clinic }: No le enviaremos más mensajes. Para volver a recibirlos, responda START.
stop-confirmation-discreet = No recibirá más mensajes. Para volver a recibirlos, responda START.
start-confirmation = { $clinic }: Volverá a recibir nuestros mensajes. Responda HELP para ayuda, o STOP o ALTO para no recibir más. Su compañía puede cobrar por mensajes y datos.
start-confirmation-discreet = Volverá a recibir mensajes. Responda HELP para ayuda, o STOP o ALTO para no recibir más.
help = { $clinic }: Para ayuda, llame al { $phone }. Para no recibir más mensajes, responda STOP o ALTO. Su compañía puede cobrar por mensajes y datos.
help-discreet = Para ayuda, llame al { $phone }. Para no recibir más mensajes, responda STOP o ALTO.

## Answers

reask-yes-no = Disculpe, no quedó claro. Responda sí o no.
reask-number = Disculpe, no quedó claro. Responda solo con el número, en { unit-name }.
reask-number-discreet = Disculpe, no quedó claro. Responda solo con el número.
reask-scale = Disculpe, no quedó claro. Responda con un número del { $min } al { $max }.
reask-choice = Disculpe, no quedó claro. Responda con un solo número del 1 al { $max }.
reask-visit = Disculpe, no quedó claro. Responda C para confirmar, R para otra hora o X si no puede venir.
answer-thanks = Gracias. Recibimos su respuesta.
reading-thanks = Gracias. Anotamos { $value } { unit-short }.
reading-thanks-discreet = Gracias. Recibimos su respuesta.

## Links

link-invite =
    { $clinic }: para recibir nuestros mensajes por Telegram, abra este enlace. Funciona una sola vez.
    { $link }
link-invite-discreet =
    Para recibir los mensajes por Telegram, abra este enlace. Funciona una sola vez.
    { $link }
link-welcome = { $clinic }: Recibirá nuestros mensajes aquí. Telegram es de otra empresa, que podría verlos. Responda HELP para ayuda, o STOP o ALTO para no recibir más.
link-welcome-discreet = Recibirá los mensajes aquí. Telegram es de otra empresa, que podría verlos. Responda HELP para ayuda, o STOP o ALTO para no recibir más.
link-over = Este enlace ya no sirve. Pida uno nuevo o llame al { $phone }.

## Buttons

choice-confirm = Confirmo
choice-reschedule = Otra hora
choice-cant-come = No puedo ir
choice-yes = Sí
choice-no = No
