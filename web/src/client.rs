//! The protocol with the engine's worker: a request goes out under a number, its answer comes back
//! under the same. A worker that is gone answers nothing any more: whoever waits is told so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use layerwise::view::{
    Archive, Comparison, FileView, Matrix, Prediction, Progress, Refusal, Request, Row, State,
    Suggestion,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
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

/// A session as the engine saved it. The page passes it on and keeps it, but does not look into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Session(pub JsValue);

/// What is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// Anything but what follows.
    Request(Box<Request>),
    /// To open a session that was saved: [`Request::OpenSaved`].
    Open(Session),
}

impl From<Request> for Question {
    fn from(request: Request) -> Question {
        Question::Request(Box::new(request))
    }
}

impl Question {
    fn message(&self) -> Result<JsValue, serde_wasm_bindgen::Error> {
        match self {
            Question::Request(request) => encode(request),
            Question::Open(session) => {
                let message = Object::new();
                set(&message, "kind", &"openSaved".into());
                set(&message, "saved", &session.0);
                Ok(message.into())
            }
        }
    }
}

/// What the engine answers, as far as the page asks for it: see
/// [`Reply`](layerwise::view::Reply).
#[derive(Debug)]
pub enum Answer {
    /// Everything that the page shows by itself.
    State(Box<State>),
    /// There is more to do.
    Progress(Progress),
    /// Parts of the catalog that are missing.
    Needs(Vec<String>),
    /// The session, saved.
    Saved(Session),
    /// What the next build would do.
    Prediction(Prediction),
    /// Rows of a tree.
    Rows(Vec<Row>),
    /// A file.
    File(Box<FileView>),
    /// Two builds side by side.
    Comparison(Comparison),
    /// What edits cost.
    Matrix(Matrix),
    /// Better orders.
    Suggestions(Vec<Suggestion>),
    /// An image as an archive.
    Archive(Archive),
    /// The request cannot be met; nothing has changed.
    Refused(Refusal),
}

impl Answer {
    /// Reads an answer by its kind. Derived, the reading of a tagged enum is compiled twice for
    /// every type in it, once of a buffer: that would be a quarter of the page.
    fn read(reply: &JsValue) -> Result<Answer, serde_wasm_bindgen::Error> {
        let value = field(reply, "value");
        Ok(match text(reply, "kind").as_str() {
            "state" => Answer::State(decode(value)?),
            "progress" => Answer::Progress(decode(value)?),
            "needs" => Answer::Needs(decode(value)?),
            "saved" => Answer::Saved(Session(value)),
            "prediction" => Answer::Prediction(decode(value)?),
            "rows" => Answer::Rows(decode(value)?),
            "file" => Answer::File(decode(value)?),
            "comparison" => Answer::Comparison(decode(value)?),
            "matrix" => Answer::Matrix(decode(value)?),
            "suggestions" => Answer::Suggestions(decode(value)?),
            "archive" => Answer::Archive(decode(value)?),
            "refused" => Answer::Refused(decode(value)?),
            other => {
                let message = format!("the kind {other} was not asked for");
                return Err(serde_wasm_bindgen::Error::new(message));
            }
        })
    }
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

    /// Asks and waits for the answer.
    pub async fn ask(&self, question: &Question) -> Result<Answer, Fault> {
        let request = question
            .message()
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
            "response" => Answer::read(&field(&message, "response"))
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
                if let Ok(progress) = decode(field(message, "progress")) {
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
            set(&message, key, &value.into());
        }
        for resolve in self.inner.waiting.take().into_values() {
            let _ = resolve.call1(&JsValue::UNDEFINED, &message);
        }
    }
}

/// A value as the engine reads it: objects, not maps; byte buffers stay buffers.
///
/// # Errors
///
/// It has no form in JavaScript.
pub fn encode(value: &impl Serialize) -> Result<JsValue, serde_wasm_bindgen::Error> {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    value.serialize(&serializer)
}

/// A value of the engine's.
///
/// # Errors
///
/// It is of another form.
pub fn decode<T: DeserializeOwned>(value: JsValue) -> Result<T, serde_wasm_bindgen::Error> {
    serde_wasm_bindgen::from_value(value)
}

/// Sets a property of a plain object.
pub fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &name.into(), value);
}

fn field(message: &JsValue, name: &str) -> JsValue {
    Reflect::get(message, &name.into()).unwrap_or_default()
}

fn text(message: &JsValue, name: &str) -> String {
    field(message, name).as_string().unwrap_or_default()
}
