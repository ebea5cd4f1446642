"""The page: the only users of gradio, and imported by nobody but app.py.

Conventions that every file here keeps, because Gradio breaks otherwise:

* One tab a file, with a function `build(shared)` that makes the components and wires the events.
* No `gr.State`, no `unload`, no `.stream`: each opens one permanent connection a tab, and browsers allow six.
  Page state lives in hidden textboxes (`page.Shared`); owner keys in a `gr.BrowserState`, rendered last.
* An output that may be skipped gets `gr.update(value=...)` or `gr.skip()`, never a bare value (a server leak).
* Events of the page are `api_name="ui_..."` and `api_visibility="private"`; programs use `ui/api.py`.
* What changes by itself is read from the run folder by a timer; nothing that matters lives in an event.
* Text from people is escaped with `html.escape` in Python and reaches `gr.HTML` as its `value` under the default
  template `${value}`. Never put such text through `{{...}}`: Gradio evaluates what Handlebars returns as a
  template literal, so a run named `${alert(1)}` would run.
* Own routes live under `/gradio_api/`: elsewhere they vanish on Spaces.
* Errors are `gr.Error(sentence, print_exception=False)`, made from a `Refused` by `page.told`.
"""

from gan_play.ui import stubless

stubless.install()  # before the first of them imports gradio
