//! The protocol with the engine's worker: a request goes out under a number, its answer comes back
//! under the same. A worker that is gone answers nothing any more: whoever waits is told so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use layerwise::view::{Progress, Reply, Request};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// A running engine.
    type Engine;

    #[wasm_bindgen(js_namespace = layerwiseEngine, js_name = start)]
    fn start_engine(listener: &Closure<dyn FnMut(JsValue)>) -> Engine;

    #[wasm_bindgen(method)]
    fn send(this: &Engine, id: u32, request: &JsValue);

    #[wasm_bindgen(method)]
    fn stop(this: &Engine);
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The request could not be answered; the session stands.
    Failed(String),
    /// The engine is gone, with its session.
    Crashed(String),
}

/// The page's end of the worker.
#[derive(Clone)]
pub struct Client {
    inner: Rc<Inner>,
}

struct Inner {
    engine: RefCell<Option<Running>>,
    next: Cell<u32>,
    waiting: RefCell<BTreeMap<u32, Function>>,
    /// Why the last engine is gone.
    lost: RefCell<String>,
    on_progress: Box<dyn Fn(Progress)>,
}

struct Running {
    engine: Engine,
    _listener: Closure<dyn FnMut(JsValue)>,
}

impl Client {
    /// Starts an engine, whose progress is told to `on_progress`.
    pub fn new(on_progress: impl Fn(Progress) + 'static) -> Client {
        let client = Client {
            inner: Rc::new(Inner {
                engine: RefCell::new(None),
                next: Cell::new(1),
                waiting: RefCell::default(),
                lost: RefCell::default(),
                on_progress: Box::new(on_progress),
            }),
        };
        client.start();
        client
    }

    /// Ends the engine, whatever it is doing, and starts another; who waits is told `reason`.
    pub fn restart(&self, reason: &str) {
        if let Some(running) = self.inner.engine.take() {
            running.engine.stop();
        }
        self.tell_all(reason);
        self.start();
    }

    fn start(&self) {
        let weak = Rc::downgrade(&self.inner);
        let listener = Closure::new(move |message: JsValue| {
            if let Some(inner) = weak.upgrade() {
                (Client { inner }).hear(&message);
            }
        });
        let engine = start_engine(&listener);
        *self.inner.engine.borrow_mut() = Some(Running {
            engine,
            _listener: listener,
        });
    }

    /// Sends a request and waits for its answer.
    pub async fn ask(&self, request: &Request) -> Result<Reply, Fault> {
        // Objects, not maps; byte buffers stay buffers.
        let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
        let request = request
            .serialize(&serializer)
            .map_err(|error| Fault::Failed(error.to_string()))?;
        let id = self.inner.next.replace(self.inner.next.get() + 1);
        let promise = Promise::new(&mut |resolve, _| {
            self.inner.waiting.borrow_mut().insert(id, resolve);
        });
        match &*self.inner.engine.borrow() {
            Some(running) => running.engine.send(id, &request),
            None => return Err(Fault::Crashed(self.inner.lost.borrow().clone())),
        }
        let message = JsFuture::from(promise)
            .await
            .map_err(|_| Fault::Failed("the answer was lost".into()))?;
        match text(&message, "kind").as_str() {
            "response" => serde_wasm_bindgen::from_value(field(&message, "response"))
                .map_err(|error| Fault::Failed(format!("the engine's answer: {error}"))),
            "crashed" => Err(Fault::Crashed(text(&message, "error"))),
            _ => Err(Fault::Failed(text(&message, "error"))),
        }
    }

    fn hear(&self, message: &JsValue) {
        match text(message, "kind").as_str() {
            "crashed" => {
                let reason = text(message, "error");
                *self.inner.engine.borrow_mut() = None;
                self.inner.lost.borrow_mut().clone_from(&reason);
                self.tell_all(&reason);
            }
            "progress" => {
                if let Ok(progress) = serde_wasm_bindgen::from_value(field(message, "progress")) {
                    (self.inner.on_progress)(progress);
                }
            }
            "response" | "error" => {
                let id = field(message, "id").as_f64().unwrap_or_default() as u32;
                let waiting = self.inner.waiting.borrow_mut().remove(&id);
                if let Some(resolve) = waiting {
                    let _ = resolve.call1(&JsValue::UNDEFINED, message);
                }
            }
            _ => {}
        }
    }

    /// Tells everybody who waits that the engine is gone.
    fn tell_all(&self, reason: &str) {
        let message = Object::new();
        for (key, value) in [("kind", "crashed"), ("error", reason)] {
            let _ = Reflect::set(&message, &key.into(), &value.into());
        }
        for resolve in self.inner.waiting.take().into_values() {
            let _ = resolve.call1(&JsValue::UNDEFINED, &message);
        }
    }
}

fn field(message: &JsValue, name: &str) -> JsValue {
    Reflect::get(message, &name.into()).unwrap_or_default()
}

fn text(message: &JsValue, name: &str) -> String {
    field(message, name).as_string().unwrap_or_default()
}
