// Guesses the time zone, if none was chosen yet. It counts only when the form is saved.
"use strict";

{
  const select = document.getElementById("time_zone");
  const guess = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const option = select && [...select.options].find((one) => one.value === guess);
  if (option && "guess" in select.dataset && !select.value) {
    option.selected = true;
    option.textContent = select.dataset.guess.replace("{}", option.textContent);
  }
}
