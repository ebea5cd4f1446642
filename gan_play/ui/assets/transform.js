// Transform's pictures (ui/transform.py): dropped or chosen files go to the server, and `dropped` is triggered with the
// paths that it gave them; a brush marks what of one's own picture is to stay; a slider stands between before and after.
let past = [];
const canvas = () => element.querySelector('.own canvas');
const zone = () => element.querySelector('.choose');
const told = (text) => { const line = element.querySelector('.choose-status'); if (line) line.textContent = text; };

// Files

const send = async (files) => {
  const at = zone(), pictures = [...files].slice(0, Number(at.dataset.most));
  if (!pictures.length || at.classList.contains('busy')) return;
  const form = new FormData();
  pictures.forEach((file) => form.append('files', file, file.name));
  at.classList.add('busy');
  told(at.dataset.sending);
  try {
    const answer = await fetch('gradio_api/upload', {method: 'POST', body: form});
    if (!answer.ok) throw new Error();
    trigger('dropped', {paths: await answer.json()});
    told('');
  } catch (error) {
    told(at.dataset.failed);
  } finally {
    at.classList.remove('busy');
  }
};
element.addEventListener('change', (event) => {
  if (event.target.type !== 'file') return;
  send(event.target.files);
  event.target.value = '';
});
['dragover', 'dragenter'].forEach((kind) => element.addEventListener(kind, (event) => {
  if (!zone()) return;
  event.preventDefault();
  zone().classList.add('over');
}));
element.addEventListener('dragleave', (event) => {
  if (zone() && !element.contains(event.relatedTarget)) zone().classList.remove('over');
});
element.addEventListener('drop', (event) => {
  if (!zone()) return;
  event.preventDefault();
  zone().classList.remove('over');
  send(event.dataTransfer.files);
});

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

// Buttons, and the slider between before and after

element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || !element.contains(button)) return;
  if (button.dataset.choose) element.querySelector('input[type=file]').click();
  else if (button.dataset.undo === 'undo') back();
  else if (button.dataset.undo === 'clear') { past = past.slice(0, 1); back(); }
  else if (button.dataset.act) trigger('act', {act: button.dataset.act, place: button.dataset.place || ''});
});
const slide = () => {
  const at = element.querySelector('.compare input[type=range]');
  if (at) at.closest('.compare').style.setProperty('--at', `${at.value}%`);
};
element.addEventListener('input', (event) => { if (event.target.closest('.compare')) slide(); });
let of = '';
watch('value', () => {
  slide();
  const on = canvas();
  if (!on || on.dataset.of === of) return;
  of = on.dataset.of;
  past = [];
  on.dataset.marked = '';
  on.getContext('2d').clearRect(0, 0, on.width, on.height);
});
