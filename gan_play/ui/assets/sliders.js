// Play's sliders while they are dragged (ui/sliders.py), run once. The picture on the stage is asked for alone: one
// question at a time, and of what is wished meanwhile only the last. Once a slider is let go the server's event paints
// the page; a picture that arrives after that belongs to a code that the stage shows no more.
const slider = (id) => document.querySelector('#play-' + id + ' input[type=range]');
const stage = () => document.querySelector('#stage .large');
const open = (id) => Boolean(document.querySelector(id)?.offsetParent);
const steps = () => {
  if (!open('#play-steer')) return {};
  const moved = known.attributes.map((name) => [name, slider('steer-' + name).value]);
  const rows = [...document.querySelectorAll('.direction')].map((row) => [row.dataset.way, row.querySelector('[type=range]').value]);
  return {steps: [...moved, ...rows].filter(([, by]) => Number(by)).map(([way, by]) => way + '=' + by).join(' ')};
};
const weights = () => open('#play-coarse')
  ? {weights: ['coarse', 'middle', 'fine'].map((band) => slider(band).value).join(',')} : {};
const address = (code, more = {}) => 'gradio_api/drag/' + code + '.webp?'
  + new URLSearchParams({truncation: slider('truncation').value, ...weights(), ...steps(), ...more});
let wish = null, asking = false, last = '';
const show = (picture) => {
  const old = last;
  stage().querySelector('img').src = last = URL.createObjectURL(picture);
  setTimeout(() => URL.revokeObjectURL(old), 2000);
};
const ask = async () => {
  if (asking) return;
  asking = true;
  while (wish) {
    const {code, from} = wish;
    wish = null;
    try {
      const answer = await fetch(from);
      const picture = answer.ok && await answer.blob();
      if (picture && stage()?.dataset.code === code) show(picture);
    } catch (lost) { /* the page says so itself */ }
  }
  asking = false;
};
// Gradio moves the range beside a number, or the number beside a range, once it has heard of it: a turn later.
const ours = '#play-truncation, #play-coarse, #play-middle, #play-fine, #play-steer, .direction [type=range]';
document.addEventListener('input', (event) => {
  if (!event.target.closest(ours)) return;
  setTimeout(() => {
    const psi = Number(slider('truncation').value), note = element.querySelector('.note');
    if (note && event.target.closest('#play-truncation')) {
      const place = known.limits.findIndex((limit) => psi < limit);
      note.textContent = known.said.at(place).replace('{number}', psi.toFixed(2));
    }
    if (!stage()?.querySelector('img')) return;  // a figure or a film follows once the slider is let go
    const code = stage().dataset.code;
    wish = {code, from: address(code)};
    ask();
  });
});
// What moves each attribute at a picture is found out when a hand comes near the sliders, not at their first move.
let ready = '';
document.addEventListener('pointerover', (event) => {
  const code = stage()?.querySelector('img') && stage().dataset.code;
  if (!code || code === ready || asking || !event.target.closest('#play-steer')) return;
  ready = code;
  fetch(address(code, {steps: 'light=1'})).catch(() => {});
});
// Keys move a slider without a release that Gradio would tell of.
let keyed = 0;
document.addEventListener('keydown', (event) => {
  const moved = event.target.matches('input[type=range]') && event.target.closest(ours);
  if (!moved || moved.closest('.direction') || !/^(Arrow|Page|Home|End)/.test(event.key)) return;
  clearTimeout(keyed);
  keyed = setTimeout(() => {
    const field = document.querySelector('#play-let-go textarea');
    field.value = String(Date.now());
    field.dispatchEvent(new Event('input'));
  }, 400);
});
