// The place for a video (ui/clip.py); what is dropped, and the slider between before and after, are in files.js and
// compare.js, which stand before this.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || !element.contains(button)) return;
  if (button.dataset.choose) element.querySelector('input[type=file]').click();
  else if (button.dataset.act) trigger('act', {act: button.dataset.act});
});
