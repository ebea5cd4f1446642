// The canvas of a picture of one's own (ui/yours.py): a brush that hides places, which become transparent, one that
// paints, undo. The server gets it as one PNG when the search is asked for.
let brush = 'hide', past = [];
const canvas = () => element.querySelector('canvas');
const restore = (on, url) => {
  const picture = new Image();
  picture.onload = () => {
    const ink = pen(on);
    ink.globalCompositeOperation = 'source-over';
    ink.clearRect(0, 0, on.width, on.height);
    ink.drawImage(picture, 0, 0, on.width, on.height);
  };
  picture.src = url;
};
const begin = () => {
  const on = canvas();
  if (!on || on.dataset.drawn) return;
  on.dataset.drawn = '1';
  past = [];
  brush = 'hide';
  restore(on, on.dataset.src);
};
brushing(canvas, (on) => {
  past.push(on.toDataURL('image/png'));
  past = past.slice(-20);
}, (on, from, to) => {
  const ink = pen(on);
  ink.globalCompositeOperation = brush === 'hide' ? 'destination-out' : 'source-over';
  ink.strokeStyle = element.querySelector('input[type=color]').value;
  line(ink, from, to, Number(element.querySelector('input[type=range]').value));
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || !element.contains(button)) return;
  const on = canvas();
  if (button.dataset.brush) {
    brush = button.dataset.brush;
    element.querySelectorAll('[data-brush]').forEach((other) =>
      other.setAttribute('aria-pressed', String(other === button)));
  } else if (button.dataset.undo === 'undo' && past.length) restore(on, past.pop());
  else if (button.dataset.undo === 'clear') {
    past.push(on.toDataURL('image/png'));
    restore(on, on.dataset.src);
  } else if (button.dataset.find) {
    find();
    show(Date.now() + 10000);
  }
});
// It goes through a field: a search that is asked for while one is on its way begins once that has ended, with what the
// field holds by then.
const find = () => {
  const field = document.querySelector('#yours-sent textarea');
  field.value = JSON.stringify({png: canvas().toDataURL('image/png'), at: Date.now()});
  field.dispatchEvent(new Event('input'));
};
// The search is told about below the canvas, on a phone out of sight: it is brought there as soon as there is a word.
const show = (until) => {
  const told = document.querySelector('#yours-progress .waiting');
  if (told) told.scrollIntoView({block: 'center', behavior: 'smooth'});
  else if (Date.now() < until) setTimeout(show, 100, until);
};
watch('value', begin);
begin();
