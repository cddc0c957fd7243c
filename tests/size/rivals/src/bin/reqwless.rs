//! What does the fetch cost with reqwless, without TLS, URL and name resolution, over an open connection?
#![no_std]
#![no_main]

use core::hint::black_box;

use reqwless::{
    client::HttpConnection,
    headers::ContentType,
    request::{Request, RequestBuilder},
};
use wxtoken_size::{BUFFER_LEN, executor::block_on, socket::Socket};
use wxtoken_size_rivals::{Grant, HOST, PATH, read_reply, write_body};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut buffer = [0; BUFFER_LEN];
    loop {
        let _ = black_box(block_on(fetch(&mut buffer)));
    }
}

async fn fetch(buffer: &mut [u8]) -> Result<Grant, i32> {
    let mut room = [0; 256];
    let body = write_body(&mut room).ok_or(0)?;
    let request = Request::post(PATH).host(HOST).content_type(ContentType::ApplicationJson).body(body).build();
    let mut connection = HttpConnection::Plain(Socket);
    let response = connection.send(request, buffer).await.map_err(|_| 0)?;
    read_reply(response.body().read_to_end().await.map_err(|_| 0)?)
}
