### Messages of the protocols: Spanish (es).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }: tiene una hora reservada: { $when }. Responda C: confirmo, R: otra hora, X: no puedo ir.
visit-reminder-discreet = Tiene una hora reservada: { $when }. Responda C: confirmo, R: otra hora, X: no puedo ir.
visit-confirmed = Gracias. Su hora es: { $when }.
visit-reschedule = Gracias. Una persona le ofrecerá otra hora { by-when }.
visit-cant-come = Gracias por avisarnos. Una persona se comunicará con usted { by-when }.
visit-follow-why = ¿Qué le hace difícil venir? Puede responder con sus propias palabras.

## Readings

weight-question = Hola, { $name }. ¿Cuál es su peso de hoy en { unit-name }? Responda solo con el número.
weight-question-discreet = ¿Cuál es el número de hoy? Responda solo con el número.

## Goals

goal-question = { $name }, ¿cómo le fue con su meta: { $goal }? Responda 1 sí, 2 en parte, 3 todavía no.
    .options = sí|lo hice / en parte|un poco / todavía no|aún no|no
goal-question-discreet = ¿Cómo le fue esta semana? Puede responder: sí, en parte o todavía no.
goal-why = ¿Qué lo hizo difícil? Puede responder con sus propias palabras.
goal-keep = ¿Quiere seguir con lo mismo la próxima semana? Responda sí o no.
goal-noted = Gracias. Ya lo anotamos.
goal-well-done = ¡Muy bien! Gracias por contarnos.

## How the patient is

wellbeing-question = Hola, { $name }. ¿Cómo se siente hoy? Responda 1 bien, 2 más o menos, 3 mal.
    .options = bien / más o menos|regular / mal|no bien|enfermo|enferma
wellbeing-question-discreet = Hola. ¿Cómo va todo hoy? Puede responder: bien, más o menos o mal.
