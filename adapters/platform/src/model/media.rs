//! What happens to an uploaded file? It is looked at, kept for three days, and given back to whoever has its media_id.

use std::collections::VecDeque;

use serde::Serialize;

use super::account::{Account, Kind};
use super::body::Body;
use super::request::{Request, Upload};
use super::{Model, Rng};
use crate::content::Content;

/// Milliseconds that a media_id is valid: three days (both products' upload documents).
const LIFE_MS: u64 = 3 * 86_400_000;

/// Bytes kept over all accounts; beyond, the oldest file goes before its time.
const KEPT: u64 = 512 << 20;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Where a video of a public account lies, for whoever has its address.
pub(super) const VIDEOS: &str = "/video/";

/// A file that the platform took over, to be looked at by a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Medium {
    /// The account's name.
    pub account: String,
    /// What it was uploaded as: `image`, `voice`, `video`, `thumb` or `file`.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// The id that was given for it.
    pub media_id: String,
    /// The name it was uploaded under.
    pub filename: String,
    /// The `Content-Type` of its part of the form.
    pub content_type: Option<String>,
    /// When it was taken over, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in lower-case hex.
    pub sha256: String,
}

/// The files kept, oldest first.
#[derive(Default)]
pub(super) struct Shelf(VecDeque<Kept>);

struct Kept {
    medium: Medium,
    owner: Owner,
    content: Content,
}

/// Who may use a media_id: an account, or every application of a corporation.
#[derive(PartialEq, Eq)]
struct Owner {
    work: bool,
    id: String,
}

impl Owner {
    fn of(account: &Account) -> Self {
        Self { work: account.kind == Kind::Work, id: account.id.clone() }
    }
}

/// What a file must be like: its type's largest size, and the endings of names that are allowed (any, when empty).
struct Rule {
    media_type: &'static str,
    max: u64,
    endings: &'static [&'static str],
}

/// The documented limits ("Add temporary material"; WeCom's "upload temporary material"). A megabyte is 1 048 576 bytes.
const fn rules(kind: Kind) -> &'static [Rule] {
    match kind {
        Kind::Official => &[
            Rule { media_type: "image", max: 10 * MIB, endings: &["png", "jpeg", "jpg", "gif"] },
            Rule { media_type: "voice", max: 2 * MIB, endings: &["amr", "mp3"] },
            Rule { media_type: "video", max: 10 * MIB, endings: &["mp4"] },
            Rule { media_type: "thumb", max: 64 * KIB, endings: &["jpg", "jpeg"] },
        ],
        Kind::MiniProgram => &[Rule { media_type: "image", max: 10 * MIB, endings: &["png", "jpeg", "jpg", "gif"] }],
        Kind::Work => &[
            Rule { media_type: "image", max: 10 * MIB, endings: &["jpg", "jpeg", "png"] },
            Rule { media_type: "voice", max: 2 * MIB, endings: &["amr"] },
            Rule { media_type: "video", max: 10 * MIB, endings: &["mp4"] },
            Rule { media_type: "file", max: 20 * MIB, endings: &[] },
        ],
    }
}

impl Rule {
    fn look_at(&self, kind: Kind, upload: &Upload) -> Result<(), i32> {
        let ending = ending(&upload.filename);
        if !self.endings.is_empty() && !self.endings.contains(&ending.as_str()) {
            return Err(40_005);
        }
        match upload.content.len() {
            // "All files must be larger than 5 bytes" (WeCom's document).
            0..=5 if kind == Kind::Work => Err(40_006),
            0 => Err(44_001),
            len if len > self.max => Err(45_001),
            _ => Ok(()),
        }
    }
}

/// What follows the last dot of a name, in lower case; empty without one.
fn ending(filename: &str) -> String {
    filename.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

fn content_type(ending: &str) -> &'static str {
    match ending {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "amr" => "audio/amr",
        "mp3" => "audio/mp3",
        "mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}

impl Shelf {
    fn put(&mut self, kept: Kept) {
        self.forget(kept.medium.at_ms);
        self.0.push_back(kept);
        let bytes = |shelf: &Self| shelf.0.iter().map(|kept| kept.content.len()).sum::<u64>();
        while bytes(self) > KEPT {
            self.0.pop_front();
        }
    }

    fn forget(&mut self, now: u64) {
        self.0.retain(|kept| now < kept.medium.at_ms.saturating_add(LIFE_MS));
    }

    fn find(&mut self, now: u64, media_id: &str) -> Option<&Kept> {
        self.forget(now);
        self.0.iter().find(|kept| kept.medium.media_id == media_id)
    }

    /// Whether `account` may name this media_id in a message.
    pub(super) fn has(&mut self, now: u64, account: &Account, media_id: &str) -> bool {
        self.find(now, media_id).is_some_and(|kept| kept.owner == Owner::of(account))
    }

    pub(super) fn media(&self) -> Vec<Medium> {
        self.0.iter().map(|kept| kept.medium.clone()).collect()
    }

    /// `account` uploads the file of `request`.
    pub(super) fn upload(
        &mut self,
        now: u64,
        request: &Request,
        account: &Account,
        rng: &mut Rng,
    ) -> Result<Body, i32> {
        if !request.is_post() {
            return Err(43_002);
        }
        let named = request.param("type");
        let rule = rules(account.kind).iter().find(|rule| named == Some(rule.media_type)).ok_or(40_004)?;
        let upload = request.upload.as_ref().ok_or(41_005)?;
        rule.look_at(account.kind, upload)?;
        let mut media_id = String::new();
        rng.fill_token(&mut media_id, 64);
        self.put(Kept {
            medium: Medium {
                account: account.name(),
                media_type: rule.media_type,
                media_id: media_id.clone(),
                filename: upload.filename.clone(),
                content_type: upload.content_type.clone(),
                at_ms: now,
                bytes: upload.content.len(),
                sha256: upload.content.sha256(),
            },
            owner: Owner::of(account),
            content: upload.content.clone(),
        });
        let created_at = now / 1_000;
        let of_file = |body: Body| body.with("type", rule.media_type).with("media_id", media_id);
        Ok(match account.kind {
            // WeCom spells the time as a string.
            Kind::Work => of_file(Body::default().with("errcode", 0).with("errmsg", "ok"))
                .with("created_at", created_at.to_string()),
            Kind::Official | Kind::MiniProgram => of_file(Body::default()).with("created_at", created_at),
        })
    }

    /// `account` downloads the file that `request` names.
    pub(super) fn download(&mut self, now: u64, request: &Request, account: &Account) -> Result<Body, i32> {
        let media_id = request.param("media_id").ok_or(41_006)?;
        let kept = self.find(now, media_id).filter(|kept| kept.owner == Owner::of(account)).ok_or(40_007)?;
        if kept.medium.media_type == "video" && !kept.owner.work {
            let scheme = if request.secure { "https" } else { "http" };
            let host = request.host.as_deref().unwrap_or("api.weixin.qq.com");
            return Ok(Body::default().with("video_url", format!("{scheme}://{host}{VIDEOS}{media_id}")));
        }
        Ok(Body::file(kept.content.clone(), headers(&kept.medium)))
    }
}

impl Model {
    /// A video at the address that a download named. The address is all that it takes.
    pub(super) fn video(&mut self, now: u64, media_id: &str) -> Result<Body, i32> {
        let kept = self.shelf.find(now, media_id).filter(|kept| kept.medium.media_type == "video").ok_or(40_007)?;
        Ok(Body::file(kept.content.clone(), headers(&kept.medium)))
    }

    /// The files that were uploaded and are kept, oldest first: for three days, or until there are more than 512 MiB.
    #[must_use]
    pub fn media(&self) -> Vec<Medium> {
        self.shelf.media()
    }
}

fn headers(medium: &Medium) -> Vec<(&'static str, String)> {
    let ending = ending(&medium.filename);
    // An ending is the uploader's word: nothing of it goes into a header but letters and digits.
    let safe = ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !ending.is_empty();
    let name = if safe { format!("{}.{ending}", medium.media_id) } else { medium.media_id.clone() };
    vec![
        ("content-type", content_type(&ending).to_owned()),
        ("content-disposition", format!("attachment; filename=\"{name}\"")),
        ("cache-control", "no-cache, must-revalidate".to_owned()),
    ]
}
