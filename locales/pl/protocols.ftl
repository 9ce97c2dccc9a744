### Messages of the protocols: Polish (pl).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }: czeka zarezerwowany termin: { $when }. Proszę odpisać C - będę, R - inny termin, X - nie mogę.
visit-reminder-discreet = Czeka zarezerwowany termin: { $when }. Proszę odpisać C - będę, R - inny termin, X - nie mogę.
visit-confirmed = Dziękujemy. Termin: { $when }.
visit-reschedule = Dziękujemy. Ktoś zaproponuje inny termin { by-when }.
visit-cant-come = Dziękujemy za wiadomość. Ktoś się odezwie { by-when }.
visit-follow-why = Co utrudnia przyjście? Proszę odpowiedzieć własnymi słowami.

## Readings

weight-question = Dzień dobry, { $name }. Jaka jest dziś waga w { unit-name }? Proszę podać samą liczbę.
weight-question-discreet = Jaka jest dzisiejsza liczba? Proszę podać samą liczbę.

## Goals

goal-question = { $name }, jak poszło z celem: { $goal }? Proszę odpisać 1 tak, 2 częściowo, 3 jeszcze nie.
    .options = tak|udało się / częściowo|trochę / jeszcze nie|nie
goal-question-discreet = Jak minął ten tydzień? Można odpisać: tak, częściowo lub jeszcze nie.
goal-why = Co przeszkodziło? Proszę odpowiedzieć własnymi słowami.
goal-keep = Czy zostawić to na przyszły tydzień? Proszę odpisać tak lub nie.
goal-noted = Dziękujemy. Zapisaliśmy to.
goal-well-done = Świetnie! Dziękujemy za odpowiedź.

## How the patient is

wellbeing-question = Dzień dobry, { $name }. Jak samopoczucie dzisiaj? Proszę odpisać 1 dobrze, 2 tak sobie, 3 źle.
    .options = dobrze / tak sobie / źle|niedobrze
wellbeing-question-discreet = Dzień dobry. Co słychać dzisiaj? Można odpisać: dobrze, tak sobie lub źle.
