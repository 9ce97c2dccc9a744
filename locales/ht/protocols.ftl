### Messages of the protocols: Haitian Creole (ht).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }: gen yon lè ki rezève pou ou: { $when }. Reponn C pou konfime, R pou yon lòt lè, X si ou pa ka vini.
visit-reminder-discreet = Gen yon lè ki rezève pou ou: { $when }. Reponn C pou konfime, R pou yon lòt lè, X si ou pa ka vini.
visit-confirmed = Mèsi. Lè ou a se { $when }.
visit-reschedule = Mèsi. Yon moun ap ba ou yon lòt lè { by-when }.
visit-cant-come = Mèsi dèske ou fè nou konnen. Yon moun ap kontakte ou { by-when }.
visit-follow-why = Ki sa ki fè li difisil pou ou vini? Ou ka reponn jan ou vle.

## Readings

weight-question = Bonjou { $name }. Konbyen ou peze jodi a an { unit-name }? Reponn ak chif la sèlman.
weight-question-discreet = Ki chif jodi a? Reponn ak chif la sèlman.

## Goals

goal-question = { $name }, kouman sa pase ak objektif ou a: { $goal }? Reponn 1 wi, 2 yon pati, 3 poko.
    .options = wi|mwen fè l / yon pati|yon ti kras / poko|pa ankò|non
goal-question-discreet = Kouman semèn nan pase? Ou ka reponn: wi, yon pati oswa poko.
goal-why = Ki sa ki te anpeche ou? Ou ka reponn jan ou vle.
goal-keep = Èske ou vle kenbe li pou semèn pwochèn? Reponn wi oswa non.
goal-noted = Mèsi. Nou ekri sa.
goal-well-done = Bèl travay! Mèsi dèske ou di nou sa.

## How the patient is

wellbeing-question = Bonjou { $name }. Kouman ou santi ou jodi a? Reponn 1 byen, 2 konsi konsa, 3 mal.
    .options = byen / konsi konsa / mal|pa byen
wellbeing-question-discreet = Bonjou. Kouman bagay yo ye jodi a? Ou ka reponn: byen, konsi konsa oswa mal.
