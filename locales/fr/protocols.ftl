### Messages of the protocols: French (fr).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic } : une heure vous est réservée : { $when }. Répondez C je viens, R autre heure, X impossible.
visit-reminder-discreet = Une heure vous est réservée : { $when }. Répondez C je viens, R autre heure, X impossible.
visit-confirmed = Merci. Votre heure : { $when }.
visit-reschedule = Merci. Une personne vous proposera une autre heure { by-when }.
visit-cant-come = Merci de nous prévenir. Une personne vous contactera { by-when }.
visit-follow-why = Pourquoi est-ce difficile de venir ? Répondez avec vos propres mots.

## Readings

weight-question = Bonjour { $name }. Quel est votre poids aujourd'hui, en { unit-name } ? Répondez seulement avec le nombre.
weight-question-discreet = Quel est le nombre d'aujourd'hui ? Répondez seulement avec le nombre.

## Goals

goal-question = { $name }, où en est votre objectif : { $goal } ? Répondez 1 oui, 2 en partie, 3 pas encore.
    .options = oui|fait / en partie|un peu / pas encore|non
goal-question-discreet = Comment s'est passée cette semaine ? Vous pouvez répondre : oui, en partie ou pas encore.
goal-why = Qu'est-ce qui a été difficile ? Répondez avec vos propres mots.
goal-keep = Voulez-vous continuer la semaine prochaine ? Répondez oui ou non.
goal-noted = Merci. C'est noté.
goal-well-done = Bravo ! Merci de nous le dire.

## How the patient is

wellbeing-question = Bonjour { $name }. Comment allez-vous aujourd'hui ? Répondez 1 bien, 2 moyen, 3 mal.
    .options = bien / moyen|comme ci comme ça / mal|pas bien
wellbeing-question-discreet = Bonjour. Comment ça va aujourd'hui ? Vous pouvez répondre : bien, moyen ou mal.
