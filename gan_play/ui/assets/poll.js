// Stands before a component's own script. `regularly` asks the server now and then, only while the component's tab is open,
// one question at a time, and at once where `about()` (what the question is about) has changed. It goes past Gradio's
// events, since each of those costs the browser time in proportion to all that is on the page: several a minute for
// hours are what a training on the same machine could use. The page's hidden fields say what is shown.

const field = (name) => document.querySelector(`#state-${name} textarea`)?.value ?? '';

const regularly = (seconds, ask, about = () => '') => {
  let [busy, waited, last] = [false, Infinity, null];
  const tick = async () => {
    const tab = element.closest('[role=tabpanel]') ?? document.body;
    if (busy || document.visibilityState !== 'visible' || !tab.checkVisibility()) return;
    const now = about();
    waited += 1;
    if (waited < seconds && now === last) return;
    [busy, waited, last] = [true, 0, now];
    try { await ask(); } catch (lost) { /* the server may be back the next time */ } finally { busy = false; }
  };
  setInterval(tick, 1000);
  tick();
};

