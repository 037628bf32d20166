//! What a rule does to a request and its answer.
//!
//! A rule compiles to a list of Stages. Each has a request half, which may answer, and a response
//! half, which runs in reverse order. Stages see the message and nothing of the connection; they
//! decide by the request alone, so any of them can be tried without a socket.

mod cors;
mod redirect;
mod rewrite;

use std::cell::RefCell;
use std::rc::Rc;

use smallvec::SmallVec;

use crate::model::{Cause, Cors, Filter, HeaderEdit, PathMatch, Redirect, Rewrite};
use crate::proxy::headers::{edit_request, edit_response};
use crate::proxy::message::{RequestHead, ResponseHead};
use crate::proxy::mirror::Mirror;

/// One filter, ready to run.
pub enum Stage {
    RequestHeaders(HeaderEdit),
    ResponseHeaders(HeaderEdit),
    Redirect(Redirect),
    Rewrite(Rewrite),
    Cors(Cors),
    Mirror(Rc<Mirror>),
    Refuse(Cause),
}

/// What stages may know and change of a request.
pub struct StageRequest<'a> {
    pub head: &'a mut RequestHead,
    /// The condition that matched: what "the matched prefix" of a rewrite is.
    pub matched: &'a PathMatch,
    pub https: bool,
    /// Where redirects that name neither scheme nor port go: the listener's as the API names it,
    /// or that of a hop in front that ends TLS.
    pub port: u16,
    /// The client's `Origin`, kept for the response half; empty where there was none.
    pub origin: &'a mut Vec<u8>,
    /// Mirrors that this request was drawn for; they start with the final head.
    pub mirrors: &'a mut SmallVec<[Rc<Mirror>; 1]>,
    pub rng: &'a RefCell<fastrand::Rng>,
}

/// A stage's own answer instead of the backend's.
#[derive(Debug)]
pub enum Answer {
    /// A head without a body.
    Respond(Box<ResponseHead>),
    Fail(Cause),
}

impl Stage {
    /// `mirror` finds the worker's view of a mirror's backend.
    pub fn compile(
        filter: &Filter,
        mirror: impl FnOnce(&crate::model::Mirror) -> Rc<Mirror>,
    ) -> Self {
        match filter {
            Filter::RequestHeaders(edit) => Self::RequestHeaders(edit.clone()),
            Filter::ResponseHeaders(edit) => Self::ResponseHeaders(edit.clone()),
            Filter::Redirect(redirect) => Self::Redirect(redirect.clone()),
            Filter::Rewrite(rewrite) => Self::Rewrite(rewrite.clone()),
            Filter::Cors(cors) => Self::Cors(cors.clone()),
            Filter::Mirror(filter) => Self::Mirror(mirror(filter)),
            Filter::Refuse(cause) => Self::Refuse(*cause),
        }
    }

    /// The request half. Every stage of today decides at once; one that asks somebody (external
    /// authorisation) will wait here.
    #[expect(clippy::unused_async, reason = "the seam that stages with questions need")]
    pub async fn request(&self, request: &mut StageRequest<'_>) -> Result<(), Answer> {
        match self {
            Self::RequestHeaders(edit) => edit_request(edit, request.head),
            Self::ResponseHeaders(_) => {}
            Self::Redirect(redirect) => {
                let response = redirect::redirect(redirect, request);
                return Err(Answer::Respond(Box::new(response)));
            }
            Self::Rewrite(rewrite) => rewrite::rewrite(rewrite, request.matched, request.head),
            Self::Cors(cors) => return cors::request(cors, request),
            Self::Mirror(mirror) => {
                if mirror.is_drawn(&mut request.rng.borrow_mut()) {
                    request.mirrors.push(Rc::clone(mirror));
                }
            }
            Self::Refuse(cause) => return Err(Answer::Fail(*cause)),
        }
        Ok(())
    }

    /// The response half; also of answers that another stage or the proxy made.
    pub fn response(&self, origin: &[u8], response: &mut ResponseHead) {
        match self {
            Self::ResponseHeaders(edit) => edit_response(edit, &mut response.fields),
            Self::Cors(cors) => cors::response(cors, origin, response),
            Self::RequestHeaders(_)
            | Self::Redirect(_)
            | Self::Rewrite(_)
            | Self::Mirror(_)
            | Self::Refuse(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
