//! Files: which are taken, how long they are kept, and who gets them back.

use wxtoken_platform::Account;
use wxtoken_platform::model::{Model, Reply, Request, Upload};

use crate::bench::{CORP, ID, SECRET, T, fetch, gettoken, model, official, token, work};

const MIB: usize = 1 << 20;
const DAY_MS: u64 = 86_400_000;

fn upload(model: &mut Model, now: u64, token: &str, media_type: &str, filename: &str, len: usize) -> Reply {
    let target = format!("/cgi-bin/media/upload?access_token={token}&type={media_type}");
    let upload = Upload::new(filename, &vec![b'x'; len]);
    model.handle(now, &Request::post(&target, "").with_upload(upload))
}

fn download(model: &mut Model, now: u64, token: &str, media_id: &str) -> Reply {
    let target = format!("/cgi-bin/media/get?access_token={token}&media_id={media_id}");
    model.handle(now, &Request::get(&target))
}

fn media_id(reply: &Reply) -> String {
    reply.json()["media_id"].as_str().unwrap_or_else(|| panic!("no media_id: {}", reply.text())).to_owned()
}

fn bytes(reply: &Reply) -> Vec<u8> {
    let content = reply.content.as_ref().unwrap();
    let mut bytes = vec![0; usize::try_from(content.len()).unwrap()];
    let read = content.read_at(0, &mut bytes).unwrap();
    assert_eq!(read, bytes.len());
    bytes
}

#[test]
fn what_is_taken_is_given_back() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    let reply = upload(&mut model, T, &a, "image", "photo.JPG", 9);
    assert_eq!((&reply.json()["type"], &reply.json()["created_at"]), (&"image".into(), &(T / 1_000).into()));
    let id = media_id(&reply);
    assert_eq!(id.len(), 64);
    let back = download(&mut model, T, &a, &id);
    assert_eq!(bytes(&back), b"xxxxxxxxx");
    assert_eq!(back.header("content-type"), Some("image/jpeg"));
    assert_eq!(back.header("content-disposition"), Some(format!("attachment; filename=\"{id}.jpg\"").as_str()));
    let medium = &model.media()[0];
    assert_eq!((medium.account.as_str(), medium.media_type, medium.bytes), (ID, "image", 9));
    assert_eq!((medium.filename.as_str(), &medium.media_id), ("photo.JPG", &id));
    // Of nine x, by sha256sum.
    assert_eq!(medium.sha256, "a73add1aecea03a894ca65d99bc5e91d21b58cdb728343bbcb6cf6cf38b809f5");
}

#[test]
fn the_documented_limits_of_a_public_account() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    for (media_type, filename, max) in [
        ("image", "a.png", 10 * MIB),
        ("voice", "a.mp3", 2 * MIB),
        ("video", "a.mp4", 10 * MIB),
        ("thumb", "a.jpg", 64 << 10),
    ] {
        assert_eq!(upload(&mut model, T, &a, media_type, filename, max).errcode(), 0, "{media_type}");
        assert_eq!(upload(&mut model, T, &a, media_type, filename, max + 1).errcode(), 45_001, "{media_type}");
        assert_eq!(upload(&mut model, T, &a, media_type, filename, 0).errcode(), 44_001);
        assert_eq!(upload(&mut model, T, &a, media_type, "a.exe", 9).errcode(), 40_005);
        assert_eq!(upload(&mut model, T, &a, media_type, "without-an-ending", 9).errcode(), 40_005);
    }
    assert_eq!(upload(&mut model, T, &a, "thumb", "a.png", 9).errcode(), 40_005);
    for wrong in ["file", "", "Image"] {
        assert_eq!(upload(&mut model, T, &a, wrong, "a.png", 9).errcode(), 40_004, "files are WeCom's");
    }
    assert_eq!(model.media().len(), 4);
}

#[test]
fn the_documented_limits_of_wecom() {
    let mut model = model(work());
    let a = token(&gettoken(&mut model, T));
    for (media_type, filename, max) in [
        ("image", "a.jpeg", 10 * MIB),
        ("voice", "a.amr", 2 * MIB),
        ("video", "a.mp4", 10 * MIB),
        ("file", "report", 20 * MIB),
    ] {
        assert_eq!(upload(&mut model, T, &a, media_type, filename, max).errcode(), 0, "{media_type}");
        assert_eq!(upload(&mut model, T, &a, media_type, filename, max + 1).errcode(), 45_001, "{media_type}");
        assert_eq!(upload(&mut model, T, &a, media_type, filename, 6).errcode(), 0);
        assert_eq!(upload(&mut model, T, &a, media_type, filename, 5).errcode(), 40_006);
    }
    assert_eq!(upload(&mut model, T, &a, "image", "a.gif", 9).errcode(), 40_005, "a public account may");
    assert_eq!(upload(&mut model, T, &a, "voice", "a.mp3", 9).errcode(), 40_005, "a public account may");
    assert_eq!(upload(&mut model, T, &a, "thumb", "a.jpg", 9).errcode(), 40_004);
    let reply = upload(&mut model, T, &a, "image", "a.jpg", 9);
    assert_eq!((&reply.json()["errcode"], &reply.json()["created_at"]), (&0.into(), &(T / 1_000).to_string().into()));
}

#[test]
fn a_mini_program_uploads_images_only() {
    let mut model = model(Account::mini_program(ID, SECRET));
    let a = token(&fetch(&mut model, T));
    assert_eq!(upload(&mut model, T, &a, "image", "a.gif", 9).errcode(), 0);
    assert_eq!(upload(&mut model, T, &a, "voice", "a.amr", 9).errcode(), 40_004);
}

#[test]
fn a_call_without_a_file_or_a_token() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    let target = format!("/cgi-bin/media/upload?access_token={a}&type=image");
    assert_eq!(model.handle(T, &Request::get(&target)).errcode(), 43_002);
    let refused = model.handle(T, &Request::post(&target, "x"));
    assert_eq!(refused.errcode(), 41_005);
    assert_eq!(refused.header("content-type"), Some("text/plain"), "the odd type of media errors");
    assert_eq!(model.handle(T, &Request::post(&target, "x").chunked()).status, 412);
    assert_eq!(upload(&mut model, T, "made-up", "image", "a.png", 9).errcode(), 40_001);
    assert_eq!(download(&mut model, T, "made-up", "x").errcode(), 40_001);
    assert!(model.media().is_empty());
}

#[test]
fn a_media_id_lives_three_days() {
    let mut model = model(official().life_s(u32::MAX));
    let a = token(&fetch(&mut model, T));
    let id = media_id(&upload(&mut model, T, &a, "voice", "a.amr", 9));
    assert_eq!(bytes(&download(&mut model, T + 3 * DAY_MS - 1, &a, &id)).len(), 9);
    let gone = download(&mut model, T + 3 * DAY_MS, &a, &id);
    assert_eq!((gone.errcode(), gone.content), (40_007, None));
    assert!(model.media().is_empty(), "and takes no room any more");
}

#[test]
fn a_media_id_belongs_to_its_account_or_its_corporation() {
    let mut model = model(official());
    model.add(Account::official("wx_other", SECRET)).unwrap();
    model.add(work().agent(1)).unwrap();
    model.add(Account::work(CORP, "two").agent(2)).unwrap();
    let a = token(&fetch(&mut model, T));
    let get = |model: &mut Model, target: &str| token(&model.handle(T, &Request::get(target)));
    let other = get(&mut model, &format!("/cgi-bin/token?grant_type=client_credential&appid=wx_other&secret={SECRET}"));
    let one = token(&gettoken(&mut model, T));
    let two = get(&mut model, &format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret=two"));
    let public = media_id(&upload(&mut model, T, &a, "image", "a.png", 9));
    let corporate = media_id(&upload(&mut model, T, &one, "file", "a.txt", 9));
    assert_eq!(download(&mut model, T, &other, &public).errcode(), 40_007);
    assert_eq!(download(&mut model, T, &one, &public).errcode(), 40_007);
    assert_eq!(download(&mut model, T, &a, &corporate).errcode(), 40_007);
    let shared = download(&mut model, T, &two, &corporate);
    assert_eq!(bytes(&shared).len(), 9);
    assert_eq!(shared.header("content-type"), Some("application/octet-stream"));
    assert_eq!(shared.header("error-code"), Some("0"));
    assert_eq!(download(&mut model, T, &a, "").errcode(), 41_006);
}

#[test]
fn a_public_account_s_video_is_an_address() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    let id = media_id(&upload(&mut model, T, &a, "video", "a.mp4", 9));
    let target = format!("/cgi-bin/media/get?access_token={a}&media_id={id}");
    let mut request = Request::get(&target).plain();
    request.host = Some("127.0.0.1:1".to_owned());
    let reply = model.handle(T, &request);
    assert_eq!(reply.json(), serde_json::json!({ "video_url": format!("http://127.0.0.1:1/video/{id}") }));
    let video = model.handle(T, &Request::get(&format!("/video/{id}")));
    assert_eq!((bytes(&video).len(), video.header("content-type")), (9, Some("video/mp4")));
    let image = media_id(&upload(&mut model, T, &a, "image", "a.png", 9));
    assert_eq!(model.handle(T, &Request::get(&format!("/video/{image}"))).errcode(), 40_007, "an image is no video");

    let mut corporate = self::model(work());
    let a = token(&gettoken(&mut corporate, T));
    let id = media_id(&upload(&mut corporate, T, &a, "video", "a.mp4", 9));
    assert_eq!(bytes(&download(&mut corporate, T, &a, &id)).len(), 9, "WeCom gives the video itself");
}

#[test]
fn a_message_names_a_file_that_is_alive() {
    let mut model = model(official().life_s(u32::MAX));
    let a = token(&fetch(&mut model, T));
    let id = media_id(&upload(&mut model, T, &a, "image", "a.png", 9));
    let send = |model: &mut Model, now, id: &str| {
        let body = format!(r#"{{"touser":"o1","msgtype":"image","image":{{"media_id":"{id}"}}}}"#);
        model.handle(now, &Request::post(&format!("/cgi-bin/message/custom/send?access_token={a}"), body)).errcode()
    };
    assert_eq!(send(&mut model, T, &id), 0);
    assert_eq!(send(&mut model, T, "made-up"), 40_007);
    assert_eq!(send(&mut model, T + 3 * DAY_MS, &id), 40_007);
    assert_eq!(model.messages().len(), 1);
}

#[test]
fn the_oldest_file_makes_room() {
    let mut model = model(work());
    let a = token(&gettoken(&mut model, T));
    let first = media_id(&upload(&mut model, T, &a, "file", "a", 20 * MIB));
    let target = format!("/cgi-bin/media/upload?access_token={a}&type=file");
    let request = Request::post(&target, "").with_upload(Upload::new("a", &vec![b'x'; 20 * MIB]));
    // They share their bytes, so this is no half gigabyte.
    for _ in 0..24 {
        model.handle(T, &request);
    }
    assert_eq!(bytes(&download(&mut model, T, &a, &first)).len(), 20 * MIB, "500 MiB");
    model.handle(T, &request);
    assert_eq!(download(&mut model, T, &a, &first).errcode(), 40_007);
    assert_eq!(model.media().len(), 25);
}

#[test]
fn an_ending_goes_into_no_header_unless_it_is_plain() {
    let mut model = model(work());
    let a = token(&gettoken(&mut model, T));
    for wicked in ["a.\"x", "a.x y", "a.\r\nx: y", "a.温"] {
        let id = media_id(&upload(&mut model, T, &a, "file", wicked, 9));
        let back = download(&mut model, T, &a, &id);
        assert_eq!(back.header("content-disposition"), Some(format!("attachment; filename=\"{id}\"").as_str()));
    }
}
