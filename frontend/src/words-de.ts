/* What scripts say, in German; pages in German fetch it before all other scripts. */
import { learn } from "./language/words";

learn({
  // uploads
  bytes: "Bytes",
  "{seconds} s left": "noch {seconds} s",
  "{minutes} min left": "noch {minutes} min",
  "{hours} h {minutes} min left": "noch {hours} h {minutes} min",
  "{sent} of {whole}": "{sent} von {whole}",
  "Paused at {percent} %": "Angehalten bei {percent} %",
  Starting: "Beginnt",
  "Checking the file": "Datei wird geprüft",
  "{whole}, waiting": "{whole}, wartet",
  "Choose this file again: it goes on where it stopped.":
    "Diese Datei noch einmal auswählen: Es geht dort weiter, wo es aufhörte.",
  "{count} files uploaded": { one: "{count} Datei hochgeladen", other: "{count} Dateien hochgeladen" },
  "{done} uploaded, {failed} not": "{done} hochgeladen, {failed} nicht",
  "{count} files not uploaded": {
    one: "{count} Datei nicht hochgeladen",
    other: "{count} Dateien nicht hochgeladen",
  },
  "See what to do below": "Was zu tun ist, steht unten",
  "Waits for the connection": "Wartet auf die Verbindung",
  "You are offline": "Keine Verbindung",
  "{count} files to go": { one: "Noch {count} Datei", other: "Noch {count} Dateien" },
  Paused: "Angehalten",
  "Uploading {number} of {all}": "Lädt hoch: {number} von {all}",
  Uploading: "Lädt hoch",
  "Waiting for you": "Wartet auf Sie",
  "Choose the files again to go on": "Zum Fortfahren die Dateien noch einmal auswählen",
  "Upload of {count} files started.": {
    one: "Hochladen von {count} Datei hat begonnen.",
    other: "Hochladen von {count} Dateien hat begonnen.",
  },
  "Upload of {count} files goes on.": {
    one: "Hochladen von {count} Datei geht weiter.",
    other: "Hochladen von {count} Dateien geht weiter.",
  },
  "{count} files were shared": {
    one: "{count} Datei wurde geteilt",
    other: "{count} Dateien wurden geteilt",
  },
  "and {rest} more": "und {rest} weitere",
  "{percent} percent uploaded.": "{percent} Prozent hochgeladen.",
  "{arrived} uploaded, {failed} not.": "{arrived} hochgeladen, {failed} nicht.",
  "{arrived} uploaded.": "{arrived} hochgeladen.",
  "{name} was not uploaded.": "{name} wurde nicht hochgeladen.",
  "{name} is in the list already.": "{name} ist schon in der Liste.",
  "This file": "Diese Datei",
  "You have this already:": "Das haben Sie schon:",
  "the same file": "dieselbe Datei",
  "Pause {name}": "{name} anhalten",
  "Go on with {name}": "{name} fortsetzen",
  "Choose {name} again": "{name} noch einmal auswählen",
  "Try again": "Noch einmal versuchen",
  "Try {name} again": "{name} noch einmal versuchen",
  "Dismiss {name}": "{name} aus der Liste nehmen",
  "Cancel {name}": "{name} abbrechen",
  "Progress of {name}": "Fortschritt von {name}",
  ", show or hide the list": ", Liste zeigen oder verbergen",
  "Pause all": "Alle anhalten",
  "Go on with all": "Alle fortsetzen",
  "Close the list of uploads": "Liste der Uploads schließen",
  "Add files": "Dateien hinzufügen",
  "Try all again": "Alle noch einmal versuchen",
  "Cancel all": "Alle abbrechen",
  Uploads: "Uploads",
  "Progress of all uploads": "Fortschritt aller Uploads",
  "Files being uploaded": "Dateien, die hochgeladen werden",
  "and {hidden} more": "und {hidden} weitere",
  "Pasted {time}": "Eingefügt {time}",

  // why a file did not arrive, and what to do
  "Open it in the program that made it, save a new copy and upload that.":
    "Im Programm öffnen, aus dem sie stammt, neu speichern und diese Kopie hochladen.",
  "The file is empty.": "Die Datei ist leer.",
  "It holds nothing. Look at the file on your device, and choose it again.":
    "Sie enthält nichts. Die Datei auf dem Gerät ansehen und noch einmal auswählen.",
  "Make it smaller, or cut it into parts, and upload those.":
    "Verkleinern oder in Teile schneiden und diese hochladen.",
  "Check the device it comes from, and upload a clean copy.":
    "Das Gerät prüfen, von dem sie stammt, und eine saubere Kopie hochladen.",
  "Empty the trash or delete what you no longer need, then try again.":
    "Den Papierkorb leeren oder Überflüssiges löschen, dann noch einmal versuchen.",
  "Cut it into shorter parts and upload those.":
    "In kürzere Teile schneiden und diese hochladen.",
  "Split it into several documents and upload those.":
    "In mehrere Dokumente aufteilen und diese hochladen.",
  "Make it smaller and upload that.": "Verkleinern und dann hochladen.",
  "Give it the name that fits what it is, and upload it again.":
    "Den Namen geben, der zum Inhalt passt, und noch einmal hochladen.",
  "Save it without scripts, macros and embedded files, and upload that.":
    "Ohne Skripte, Makros und eingebettete Dateien speichern und dann hochladen.",
  "Save it as a common photo, video, audio, PDF or office document and upload that.":
    "Als gängiges Foto, Video, Audio, PDF oder Office-Dokument speichern und dann hochladen.",
  "The server could not be reached.": "Der Server war nicht zu erreichen.",
  "This goes on by itself as soon as it answers.": "Es geht von selbst weiter, sobald er antwortet.",
  "This goes on by itself as soon as it can.": "Es geht von selbst weiter, sobald es kann.",
  "You have been signed out.": "Sie wurden abgemeldet.",
  "Sign in again; the upload goes on where it stopped.":
    "Bitte wieder anmelden; der Upload geht dort weiter, wo er aufhörte.",
  "Sign in": "Anmelden",
  "The server did not take this file.": "Der Server hat diese Datei nicht angenommen.",
  "Open the trash": "Papierkorb öffnen",

  // the camera
  Camera: "Kamera",
  "Close the camera": "Kamera schließen",
  "Take a photograph": "Foto aufnehmen",
  "Start filming": "Film beginnen",
  "Stop filming": "Film beenden",
  "Upload it": "Hochladen",
  "Take another": "Neu aufnehmen",
  "Your camera, please": "Ihre Kamera, bitte",
  "Allow this site to use the camera; your browser asks for it.":
    "Bitte dieser Seite die Kamera erlauben; der Browser fragt danach.",
  "There is no camera": "Keine Kamera gefunden",
  "Connect one, or choose a file instead.": "Eine anschließen oder stattdessen eine Datei auswählen.",
  "Smile!": "Bitte lächeln!",
  "Length of the recording: {length}": "Länge der Aufnahme: {length}",
  "Filming ended: the file would become larger than is accepted.":
    "Der Film endete: Die Datei würde größer als erlaubt.",

  // fields of forms
  "{name} moved.": "{name} verschoben.",
  "{name} added.": "{name} hinzugefügt.",
  "{name} removed.": "{name} entfernt.",
  "Undone: {words}": "Rückgängig gemacht: {words}",
  "{count} files left out: at most {most} are accepted here.": {
    one: "{count} Datei ausgelassen: Hier sind höchstens {most} erlaubt.",
    other: "{count} Dateien ausgelassen: Hier sind höchstens {most} erlaubt.",
  },
  "{name}: only {nouns} are accepted here.": "{name}: Hier sind nur {nouns} erlaubt.",
  "{name} is larger than {size}.": "{name} ist größer als {size}.",
  "{name} uploaded.": "{name} hochgeladen.",
  "{name} was not uploaded. Remove it or try again, then send the form.":
    "{name} wurde nicht hochgeladen. Entfernen oder noch einmal versuchen, dann das Formular senden.",
  "Waits for {count} uploads, then sends the form.": {
    one: "Wartet auf {count} Upload und sendet dann das Formular.",
    other: "Wartet auf {count} Uploads und sendet dann das Formular.",
  },
  "{name} is still being prepared. It can be cropped in a moment.":
    "{name} wird noch vorbereitet. Zuschneiden geht gleich.",
  "{name} cropped.": "{name} zugeschnitten.",
  "{name}: point chosen.": "{name}: Punkt gewählt.",
  "Move {name}": "{name} verschieben",
  "Crop {name}": "{name} zuschneiden",
  "Point to keep in view of {name}": "Punkt von {name}, der sichtbar bleibt",
  "Remove {name}": "{name} entfernen",
  "for {name}": "für {name}",
  "{count} pictures without alternative text. People who cannot see them will miss what they show.": {
    one: "{count} Bild ohne Alternativtext. Wer es nicht sehen kann, erfährt nicht, was es zeigt.",
    other:
      "{count} Bilder ohne Alternativtext. Wer sie nicht sehen kann, erfährt nicht, was sie zeigen.",
  },
  "Choose from your library": "Aus der Mediathek auswählen",
  "Choose one from your library": "Eine Datei aus der Mediathek auswählen",
  Add: "Hinzufügen",
  "Add {count} files": { one: "{count} Datei hinzufügen", other: "{count} Dateien hinzufügen" },
  "That is all there is room for.": "Mehr passen nicht.",
  "Your library could not be loaded. Try again.":
    "Die Mediathek konnte nicht geladen werden. Bitte noch einmal versuchen.",
  Close: "Schließen",
  Size: "Größe",
  "From left to right": "Von links nach rechts",
  "From top to bottom": "Von oben nach unten",
  "Use this part": "Diesen Ausschnitt nehmen",
  Reset: "Zurücksetzen",
  "Whole picture": "Ganzes Bild",
  Cancel: "Abbrechen",
  "This picture could not be loaded. Try again in a moment.":
    "Dieses Bild konnte nicht geladen werden. Bitte gleich noch einmal versuchen.",
  "Use this point": "Diesen Punkt nehmen",
  "{name}: position {number} of {all}.": "{name}: Position {number} von {all}.",
  "Arrow keys move it, Home and End to the ends.":
    "Pfeiltasten verschieben, Pos1 und Ende an die Enden.",

  // galleries and documents
  "Place {number} of {all}.": "Platz {number} von {all}.",
  "The order could not be changed. Try again.":
    "Die Reihenfolge konnte nicht geändert werden. Bitte noch einmal versuchen.",
  Zoom: "Vergrößern",
  Previous: "Zurück",
  Next: "Weiter",
  "This picture could not be loaded.": "Dieses Bild konnte nicht geladen werden.",
  Gallery: "Galerie",
  "Open the player": "Player öffnen",
  "{number} of {all}: {title}.": "{number} von {all}: {title}.",
  Copied: "Kopiert",
  "This page could not be loaded.": "Diese Seite konnte nicht geladen werden.",
  "Loading page {page}…": "Seite {page} wird geladen …",
  "Page {page}": "Seite {page}",

  // the player
  "This cannot be played at the moment. Download it, or try again later.":
    "Das kann gerade nicht abgespielt werden. Herunterladen oder später noch einmal versuchen.",
  Automatic: "Automatisch",
  "Automatic ({name})": "Automatisch ({name})",
  Off: "Aus",
  On: "An",
  "Show captions": "Untertitel zeigen",
  "Hide captions": "Untertitel verbergen",
  Play: "Abspielen",
  Pause: "Pause",
  "Sound on": "Ton an",
  "Sound off": "Ton aus",
  "Full screen": "Vollbild",
  "Leave full screen": "Vollbild verlassen",
  "{time} of {whole}": "{time} von {whole}",

  // the page of a file
  "Picture: plus and minus zoom, 0 shows all of it":
    "Bild: Plus und Minus vergrößern und verkleinern, 0 zeigt es ganz",
  // the library
  Date: "Datum",
  "Place in the list": "Stelle in der Liste",
  "The list could not be loaded.": "Die Liste ließ sich nicht laden.",
  "The next files could not be loaded.": "Die nächsten Dateien ließen sich nicht laden.",
  "You are offline. The rest comes when you are back.":
    "Sie sind offline. Der Rest kommt, sobald Sie wieder verbunden sind.",
  // the selection
  "{shown} selected": { one: "{shown} ausgewählt", other: "{shown} ausgewählt" },
  "Selecting…": "Wird ausgewählt …",
  "Not all could be selected. Try again.":
    "Nicht alle konnten ausgewählt werden. Bitte noch einmal versuchen.",
  "No more than {most} can be selected at once.": "Mehr als {most} lassen sich nicht zugleich auswählen.",
  "At most {most} files at once; a collection is downloaded whole.":
    "Höchstens {most} Dateien zugleich; eine Sammlung wird ganz heruntergeladen.",
  "{done} of {all} done": "{done} von {all} erledigt",
  "The connection broke. What is not done is still selected.":
    "Die Verbindung brach ab. Was nicht erledigt ist, ist noch ausgewählt.",
});
