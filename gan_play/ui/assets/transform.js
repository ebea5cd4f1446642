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
// How much a style counts goes straight into what the page remembers: asked for each step of a key that is held, the
// server would hear the first alone.
element.addEventListener('change', ({target}) => {
  if (!target.dataset.weight) return;
  const field = document.querySelector('#transform-styles textarea'), styles = JSON.parse(field.value);
  styles.weights[target.dataset.weight] = Number(target.value);
  field.value = JSON.stringify(styles);
  field.dispatchEvent(new Event('input'));
});
let of = '';
watch('value', () => {
  // What is patched keeps where it was moved to, whatever style stands there by now.
  element.querySelectorAll('[data-weight]').forEach((slider) => { slider.value = slider.getAttribute('value'); });
  const on = canvas();
  if (!on || on.dataset.of === of) return;
  of = on.dataset.of;
  past = [];
  on.dataset.marked = '';
  on.getContext('2d').clearRect(0, 0, on.width, on.height);
});
