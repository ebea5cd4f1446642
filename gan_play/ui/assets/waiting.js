// Where no model is in hand it asks, now and then, for the first one that can be played with; but not before the page
// has arrived, nor while the model that it asked for is on its way.
const hidden = (id) => document.querySelector(`#play-${id} textarea`)?.value;

regularly(5, async () => {
  const tried = JSON.parse(hidden('handled') || '{}').model ?? '';
  if (field('owner') && !hidden('digest') && tried === field('model')) trigger('look', {});
}, () => field('model'));
