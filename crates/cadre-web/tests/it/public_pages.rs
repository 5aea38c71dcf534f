//! Career pages of different build, served on the loopback address and applied to from end to end.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path as At, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use cadre_jobs::apply::Boards;
use cadre_web::WebSettings;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::app::{TestApp, on_both};
use crate::applying::Stage;

/// The path and the body of a form that came, in Latin-1 so that every byte is seen.
type Came = Arc<Mutex<Vec<(String, String)>>>;

/// The pages of the parser's tests; whatever is posted is kept and thanked for.
struct Pages {
    url: String,
    came: Came,
}

impl Pages {
    async fn start() -> Pages {
        let came = Came::default();
        let pages = Router::new()
            .route("/robots.txt", get(async || StatusCode::NOT_FOUND))
            .route("/page/{name}", get(page))
            .route("/page/{name}/{*rest}", get(async || Html(LINKED)).post(post))
            .route("/jobs/carpenter/application", get(async || Html(LINKED)))
            .route("/api/offers/{slug}", get(offer))
            .fallback(post)
            .with_state(came.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, pages).await });
        Pages { url, came }
    }

    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.came.lock().expect("not poisoned"))
    }
}

/// The form behind a link.
const LINKED: &str = "<form method=post action=/linked/apply>
    <p><label>Full name <input name=n required></label></p>
    <p><label>Email <input type=email name=e required></label></p><button>Apply now</button></form>";

async fn page(At(name): At<String>) -> Response {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cadre-apply/tests/pages");
    match std::fs::read(pages.join(name).join("page.html")) {
        Ok(bytes) => ([("content-type", "text/html")], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn offer(At(slug): At<String>) -> Response {
    let offer = json!({ "offer": {
        "title": format!("Offer {slug}"), "asks": [
            { "id": 5, "text": "First name", "must": true }, { "id": 6, "text": "E-mail", "must": true },
            { "id": 7, "text": "Lebenslauf", "must": true, "file": true },
        ],
    } });
    axum::Json(offer).into_response()
}

async fn post(
    State(came): State<Came>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let text = body.iter().map(|byte| char::from(*byte)).collect();
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    assert!(!kind.is_empty(), "{path}");
    came.lock().expect("not poisoned").push((path.clone(), text));
    match path.as_str() {
        "/candidature/etape-1" => Html(
            "<form action='/candidature/etape-2' method=post><input type=hidden name=dossier value=9>
             <p><label>Confirmez votre e-mail <input name=mail2 type=email></label></p>
             <p><label>Nom * <input name=nom2></label></p>
             <p><label>Votre CV <input type=file name=cv></label></p>
             <button>Suivant</button></form>",
        )
        .into_response(),
        "/candidature/etape-2" => Html(
            "<h1>Vérifiez</h1><form action='/candidature/etape-3' method=post>
             <input type=hidden name=dossier value=9>
             <button name=ok value=1>Envoyer ma candidature</button></form>",
        )
        .into_response(),
        "/candidature/etape-3" | "/offres/boulanger/candidature" | "/postuler" => {
            Html("<p>Votre candidature a bien été envoyée.</p>").into_response()
        }
        "/bewerbung/absenden" => Html("<p>Vielen Dank für Ihre Bewerbung!</p>").into_response(),
        "/empleo/inscripcion" => Html("<p>Hemos recibido tu candidatura.</p>").into_response(),
        "/api/offers/x/candidates" => {
            (StatusCode::CREATED, axum::Json(json!({ "success": true }))).into_response()
        }
        _ => Html("<h1>Thank you for applying!</h1>").into_response(),
    }
}

/// Every question, those of sections among them.
fn flat(blocks: &[Value]) -> Vec<Value> {
    let inside = |block: &Value| match block["children"].as_array() {
        Some(children) => flat(children),
        None => vec![block.clone()],
    };
    blocks.iter().flat_map(inside).collect()
}

fn filled(blocks: &[Value], token: &str) -> Value {
    let answer = |block: &Value| match block["question_type"].as_str().expect("a type") {
        "SINGLE_SELECT" => block["options"][0]["id"].clone(),
        "MULTI_SELECT" => json!([block["options"][0]["id"]]),
        "BOOLEAN" => json!(true),
        "NUMBER" => json!(3),
        "DATE" => json!("2027-02-01"),
        "FILE" if block["label"] == "Bewerbungsfoto" => {
            json!({ "name": "ich.png", "content_type": "image/png", "data": "iVBORw==" })
        }
        "FILE" => {
            json!({ "name": "cv.pdf", "content_type": "application/pdf", "data": "JVBERi0=" })
        }
        _ if block["unified_key"] == "EMAIL" => json!("ada@x.example"),
        _ => json!("Zoë"),
    };
    let answers: Vec<Value> = flat(blocks)
        .iter()
        .map(|block| json!({ "question_id": block["question_id"], "answer": answer(block) }))
        .collect();
    json!({
        "submission_token": token, "candidate_email": "ada@x.example", "screening_question_answers": answers,
    })
}

async fn applied(stage: &Stage<'_>, url: &str) -> String {
    let id = stage.posting(url).await;
    assert_eq!(stage.availability(&id).await, "APPLYABLE", "{url}");
    let (blocks, token) = stage.inquire(&id).await;
    let application = stage.apply(&filled(&blocks, &token)).await;
    stage.work().await;
    stage.status(application["id"].as_str().expect("an id")).await
}

#[tokio::test]
async fn pages_of_different_build_are_applied_to() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        let pages = Pages::start().await;
        // What each sends, worked out by hand from the page. Zoë is `Zo` and one byte in Latin-1, and
        // `Zo` and two bytes, seen as Ã«, in UTF-8.
        for (name, path, parts) in [
            ("plain-labels-en", "/jobs/17/apply", vec![
                "name=\"csrf\"\r\n\r\na81c\r\n", "name=\"first_name\"\r\n\r\nZoÃ«\r\n",
                "name=\"resume\"; filename=\"cv.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-\r\n",
                "name=\"lift\"\r\n\r\ny\r\n",
            ]),
            ("table-fr", "/offres/boulanger/candidature", vec![
                "name=\"civ\"\r\n\r\nmme\r\n", "name=\"c10\"\r\n\r\n01/02/2027\r\n",
                "name=\"rgpd\"\r\n\r\noui\r\n",
            ]),
            ("dl-es", "/empleo/inscripcion", vec![
                "name=\"permiso\"\r\n\r\ns\r\n", "name=\"lopd\"\r\n\r\non\r\n",
            ]),
            ("latin1-fr", "/postuler", vec!["name=\"pr\u{e9}nom\"\r\n\r\nZo\u{eb}\r\n"]),
            ("datepicker-text-de", "/bewerbung/absenden", vec!["name=\"feld3\"\r\n\r\n01.02.2027\r\n"]),
            ("rails-names-en", "/job_applications", vec![
                "name=\"job_application[qts]\"\r\n\r\n0\r\n", "name=\"job_application[qts]\"\r\n\r\n1\r\n",
                "name=\"commit\"\r\n\r\nApply for this job\r\n",
            ]),
            ("honeypot-en", "/jobs/welder/apply", vec![
                "name=\"website\"\r\n\r\n\r\n", "name=\"hp\"\r\n\r\n\r\n", "name=\"who\"\r\n\r\nZoÃ«\r\n",
            ]),
        ] {
            let status = applied(&stage, &format!("{}/page/{name}", pages.url)).await;
            assert_eq!(status, "SUBMITTED", "{name}");
            let came = pages.take();
            assert_eq!(came.len(), 1, "{name}: {came:?}");
            assert_eq!(came[0].0, path, "{name}");
            for part in parts {
                assert!(came[0].1.contains(part), "{name}: {part:?} in {:?}", came[0].1);
            }
        }
    })
    .await;
}

/// What a person says that a page shows; see the tests of the parser.
fn expected(name: &str) -> Value {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cadre-apply/tests/pages");
    let text = std::fs::read_to_string(pages.join(name).join("expected.yaml")).expect("a file");
    serde_saphyr::from_str(&text).expect("YAML")
}

#[tokio::test]
async fn every_page_is_asked_for_over_the_wire() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        let pages = Pages::start().await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cadre-apply/tests/pages");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).expect("pages").flatten() {
            let name = entry.file_name().into_string().expect("a name");
            let expected = expected(&name);
            // Where a form stands elsewhere, other tests follow the link.
            let availability = match &expected["shows"] {
                Value::String(shows) if shows == "form" => "APPLYABLE",
                Value::String(_) => "ARCHIVED",
                other if other.get("nothing").is_some() => "UNAVAILABLE",
                _ => continue,
            };
            count += 1;
            let id = stage.posting(&format!("{}/page/{name}", pages.url)).await;
            assert_eq!(stage.availability(&id).await, availability, "{name}");
            if availability != "APPLYABLE" {
                continue;
            }
            let (blocks, _) = stage.inquire(&id).await;
            let asked = |one: &Value| (one["label"].clone(), one["required"].clone());
            let ours: Vec<_> = flat(&blocks).iter().map(asked).collect();
            let theirs: Vec<_> =
                expected["questions"].as_array().expect("questions").iter().map(asked).collect();
            assert_eq!(ours, theirs, "{name}");
        }
        assert!(count >= 40, "{count}");
    })
    .await;
}

#[tokio::test]
async fn a_form_of_several_steps_and_one_behind_a_link() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        let pages = Pages::start().await;
        let status = applied(&stage, &format!("{}/page/wizard-first-step-fr", pages.url)).await;
        assert_eq!(status, "SUBMITTED");
        let came = pages.take();
        let paths: Vec<&str> = came.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["/candidature/etape-1", "/candidature/etape-2", "/candidature/etape-3"]);
        assert_eq!(came[0].1, "offre=55&prenom=Zo%C3%AB&nom=Zo%C3%AB&email=ada%40x.example&go=2");
        assert!(
            came[1].1.starts_with("dossier=9&") && came[1].1.contains("nom2=Zo%C3%AB"),
            "{came:?}"
        );
        assert_eq!(came[2].1, "dossier=9&ok=1");
        let status = applied(&stage, &format!("{}/page/json-ld-link-en", pages.url)).await;
        assert_eq!(status, "SUBMITTED");
        assert_eq!(pages.take()[0].0, "/linked/apply");
    })
    .await;
}

#[tokio::test]
async fn a_board_is_read_and_applied_to_by_its_api() {
    let board = r#"
sources: [https://board.example/docs]
postings: ["http://127.0.0.1:{port}/o/{slug}"]
read: http://127.0.0.1:{port}/api/offers/{slug}
posting: .offer
job: '{ title }'
controls: |
  [.asks[] | { name: "answers[\(.id)]", label: .text, required: .must,
    kind: (if .file then "file" else "text" end) }]
apply: { url: "http://127.0.0.1:{port}/api/offers/{slug}/candidates", encoding: multipart }
"#;
    on_both(WebSettings::default(), async |app: TestApp| {
        let mut stage = Stage::new(&app).await;
        let mut settings = (*stage.parts.settings).clone();
        settings.apply.boards = Boards::read(&[("made-up", board)]).expect("a board");
        stage.parts.settings = Arc::new(settings);
        let pages = Pages::start().await;
        assert_eq!(applied(&stage, &format!("{}/o/x", pages.url)).await, "SUBMITTED");
        let came = pages.take();
        assert_eq!(came[0].0, "/api/offers/x/candidates");
        assert!(came[0].1.contains("name=\"answers[5]\"\r\n\r\nZoÃ«\r\n"), "{came:?}");
        assert!(came[0].1.contains("name=\"answers[7]\"; filename=\"cv.pdf\""), "{came:?}");
    })
    .await;
}
