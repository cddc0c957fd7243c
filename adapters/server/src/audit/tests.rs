use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::{Kind, VirtualClock, access::Access, clock::Clock, config::ClientSpec};

fn client() -> Arc<Client> {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::new(Duration::ZERO));
    let access = Access::new(&[ClientSpec::new("billing", "K1", &["shop"], &[])], &clock);
    access.by_hash(&crate::access::hash("K1")).expect("known").clone()
}

fn line(client: &Arc<Client>, generation: u32) -> Line {
    Line {
        at: Some(Duration::from_millis(1_800_000_000_250)),
        client: client.clone(),
        from: Some("10.1.2.3".parse().expect("an address")),
        account: "shop".into(),
        deed: Deed { kind: Kind::Token, what: "read", outcome: "given", generation },
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("it is there");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn each_deed_is_a_line_and_a_file_put_away_is_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, away) = (folder.path().join("audit.jsonl"), folder.path().join("audit.jsonl.1"));
    let (audit, client) = (Audit::open(&path).expect("writable"), client());
    audit.note(|| line(&client, 7));
    audit.flush().await;
    let first = json!({
        "time": "2027-01-15T08:00:00.250Z", "client": "billing", "from": "10.1.2.3", "account": "shop", "kind": "token",
        "what": "read", "outcome": "given", "generation": 7,
    });
    assert_eq!(lines(&path), [first]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
    fs::rename(&path, &away).expect("as logrotate does");
    audit.reopen().await;
    audit.flush().await;
    audit.note(|| line(&client, 8));
    audit.flush().await;
    assert_eq!((lines(&away).len(), lines(&path)[0]["generation"].as_u64()), (1, Some(8)));
}

/// A disk that stands still, until it is let go.
#[tokio::test]
async fn what_the_disk_does_not_take_is_counted_and_nobody_waits() {
    let (orders, queue) = mpsc::sync_channel(4);
    let (lost, client) = (Arc::<AtomicU64>::default(), client());
    let audit = Audit(Some(Arc::new(Queue { orders, lost: lost.clone() })));
    for generation in 0..10 {
        audit.note(|| line(&client, generation));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let writer = Writer::open(&path, lost).expect("writable");
    let thread = std::thread::spawn(move || writer.work(&queue));
    audit.flush().await;
    let written = lines(&path);
    assert_eq!((written.len(), &written[0], &written[1]["generation"]), (5, &json!({ "lost": 6 }), &json!(0)));
    drop(audit);
    thread.join().expect("it ends with the last who could order something");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_no_end() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Audit::open(folder.path()).is_err(), "at the start it is the operator's to mend");
    let path = folder.path().join("audit.jsonl");
    let (audit, client) = (Audit::open(&path).expect("writable"), client());
    fs::remove_file(&path).expect("put away");
    fs::create_dir(&path).expect("something else in its place");
    audit.reopen().await;
    audit.flush().await;
    audit.note(|| line(&client, 1));
    audit.flush().await;
    fs::remove_dir(&path).expect("mended");
    audit.reopen().await;
    audit.flush().await;
    audit.note(|| line(&client, 2));
    audit.flush().await;
    let written = lines(&path);
    assert_eq!((written.len(), &written[0], &written[1]["generation"]), (2, &json!({ "lost": 1 }), &json!(2)));
}
