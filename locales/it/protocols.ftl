### Messages of the protocols: Italian (it).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }: un orario è riservato per Lei: { $when }. Risponda C per confermare, R per un altro orario, X se non può venire.
visit-reminder-discreet = Un orario è riservato per Lei: { $when }. Risponda C per confermare, R per un altro orario, X se non può venire.
visit-confirmed = Grazie. Il Suo orario: { $when }.
visit-reschedule = Grazie. Una persona Le proporrà un altro orario { by-when }.
visit-cant-come = Grazie per averci scritto. Una persona La contatterà { by-when }.
visit-follow-why = Che cosa Le rende difficile venire? Risponda con parole Sue.

## Readings

weight-question = Buongiorno { $name }. Qual è il Suo peso di oggi in { unit-name }? Risponda solo con il numero.
weight-question-discreet = Qual è il numero di oggi? Risponda solo con il numero.

## Goals

goal-question = { $name }, com'è andata con il Suo obiettivo: { $goal }? Risponda 1 sì, 2 in parte, 3 non ancora.
    .options = sì|fatto / in parte|un po' / non ancora|no
goal-question-discreet = Com'è andata questa settimana? Può rispondere: sì, in parte o non ancora.
goal-why = Che cosa l'ha reso difficile? Risponda con parole Sue.
goal-keep = Vuole continuare la prossima settimana? Risponda sì o no.
goal-noted = Grazie. Lo abbiamo annotato.
goal-well-done = Molto bene! Grazie per averlo raccontato.

## How the patient is

wellbeing-question = Buongiorno { $name }. Come si sente oggi? Risponda 1 bene, 2 così così, 3 male.
    .options = bene / così così / male|non bene
wellbeing-question-discreet = Buongiorno. Come va oggi? Può rispondere: bene, così così o male.
