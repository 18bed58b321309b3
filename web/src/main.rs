//! The page: a Yew app over the engine's worker.

use wasm_bindgen::prelude::*;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An engine in its worker.
    type Engine;

    /// Starts an engine; its messages go to `listener`.
    #[wasm_bindgen(js_namespace = layerwiseEngine, js_name = start)]
    fn start_engine(listener: &Closure<dyn FnMut(JsValue)>) -> Engine;
}

/// The whole page.
#[component]
fn App() -> Html {
    let version = use_state(|| None::<String>);
    {
        let version = version.clone();
        use_effect_with((), move |()| {
            let listener = Closure::new(move |message: JsValue| {
                let field = |name: &str| js_sys::Reflect::get(&message, &name.into()).ok();
                if field("kind").is_some_and(|kind| kind == "ready") {
                    version.set(field("version").and_then(|version| version.as_string()));
                }
            });
            let engine = start_engine(&listener);
            move || drop((engine, listener))
        });
    }
    let engine = match &*version {
        Some(version) => format!("Engine {version} is ready."),
        None => "The engine is loading.".to_owned(),
    };
    html! {
        <main>
            <h1>{ "Layerwise" }</h1>
            <p role="status">{ engine }</p>
        </main>
    }
}

fn main() {
    yew::Renderer::<App>::new().render();
}
