// The slider between before and after.
const slide = () => {
  const at = element.querySelector('.compare input[type=range]');
  if (at) at.closest('.compare').style.setProperty('--at', `${at.value}%`);
};
element.addEventListener('input', (event) => { if (event.target.closest('.compare')) slide(); });
watch('value', slide);
slide();
