// The result of a translator (ui/translate.py): while the pen moves it shows what the desk (draw.js) was answered. What
// is said of the picture, and what can be done with it, belongs to the last whole painting: it waits for the next one.
// A look at strokes that are older than the painting comes too late.
let answered = 0;
watch('value', () => { answered = Date.now(); });
document.addEventListener('gan-play-live', ({detail}) => {
  const figure = element.querySelector('.translated');
  if (!figure || detail.since < answered) return;
  const [before, after] = figure.querySelectorAll('.compare img');
  before.src = detail.before;
  after.src = detail.src;
  figure.classList.remove('waits');
  figure.classList.add('stale');
});
