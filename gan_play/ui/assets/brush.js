// A brush on a canvas, before the scripts of components that have one (yours.js, transform.js).
const pen = (on) => on.getContext('2d', {willReadFrequently: true});
const line = (ink, from, to, width) => {
  ink.lineWidth = width;
  ink.lineCap = ink.lineJoin = 'round';
  ink.beginPath();
  ink.moveTo(...from);
  ink.lineTo(to[0] + 0.01, to[1]);  // a click alone leaves a dot
  ink.stroke();
};
// `before` is told the canvas as a stroke begins, `stroke` each piece of it, in the canvas's own pixels.
const brushing = (canvas, before, stroke) => {
  let last = null;
  const place = (event) => {
    const on = canvas(), box = on.getBoundingClientRect();
    return [(event.clientX - box.left) * on.width / box.width, (event.clientY - box.top) * on.height / box.height];
  };
  element.addEventListener('pointerdown', (event) => {
    const on = canvas();
    if (!on || event.target !== on || event.button > 0) return;
    event.preventDefault();
    on.setPointerCapture(event.pointerId);
    before(on);
    last = place(event);
    stroke(on, last, last);
  });
  element.addEventListener('pointermove', (event) => {
    if (!last) return;
    const here = place(event);
    stroke(canvas(), last, here);
    last = here;
  });
  ['pointerup', 'pointercancel'].forEach((name) => element.addEventListener(name, () => { last = null; }));
};
