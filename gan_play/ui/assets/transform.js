// Style transfer's pictures (ui/transform.py): a brush marks what of one's own picture is to stay. What is dropped and
// the slider between before and after are in files.js and compare.js, which stand before this.
let past = [];
const canvas = () => element.querySelector('.own canvas');
// The brush

brushing(canvas, (on) => {
  past.push(pen(on).getImageData(0, 0, on.width, on.height));
  past = past.slice(-20);
  on.dataset.marked = '1';
}, (on, from, to) => {
  const ink = pen(on);
  ink.strokeStyle = '#c2410c';
  line(ink, from, to, Number(element.querySelector('.own-row input[type=range]').value) * on.width / 256);
});
const back = () => {
  const on = canvas(), before = past.pop();
  if (before) on.getContext('2d').putImageData(before, 0, 0);
  on.dataset.marked = past.length ? '1' : '';
};

// Buttons

element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || !element.contains(button)) return;
  if (button.dataset.choose) element.querySelector('input[type=file]').click();
  else if (button.dataset.undo === 'undo') back();
  else if (button.dataset.undo === 'clear') { past = past.slice(0, 1); back(); }
  else if (button.dataset.act) trigger('act', {act: button.dataset.act, place: button.dataset.place || ''});
});
element.addEventListener('change', ({target}) => {
  if (target.dataset.weight) trigger('act', {act: 'weight', place: target.dataset.weight, value: target.value});
});
let of = '';
watch('value', () => {
  const on = canvas();
  if (!on || on.dataset.of === of) return;
  of = on.dataset.of;
  past = [];
  on.dataset.marked = '';
  on.getContext('2d').clearRect(0, 0, on.width, on.height);
});
