//! Routes, and the loop that accepts connections.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::world::World;
use crate::{admin, ats, careers, gate, hris, lms};

/// Marks an answer that must not be sent: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

/// All routes.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .nest("/hris", hris::api::router())
        .nest("/ats", ats::api::router())
        .nest("/lms", lms::api::router())
        .nest("/admin", admin::router())
        .layer(from_fn_with_state(Arc::clone(&world), gate::gate))
        .with_state(world)
        .nest("/careers", careers::router())
}

/// Accepts connections until the task is aborted, which cuts the open ones too.
pub(crate) async fn serve(listener: TcpListener, app: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Out of file handles, or the caller was gone at once: the next one may fare better.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, app.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, app: Router) {
    // Small answers back to back must not wait for each other.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let app = app.clone();
        async move {
            let response: Response = match app.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if response.extensions().get::<HangUp>().is_some() {
                // An error of the service makes hyper close the connection without a word.
                return Err(std::io::Error::other("dropped as ordered"));
            }
            Ok(response)
        }
    });
    // How a connection ends is the caller's business.
    let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
