//! What does a token that is held cost?

use crate::world::{Script, World, builder};

#[test]
fn a_held_token_is_handed_out_without_an_allocation() {
    let (world, script) = (World::still(), Script::tokens());
    for background in [false, true] {
        let client = builder(&world, &script).background(background).build().expect("fine");
        client.token().expect("fetched");
        let count = allocation_counter::measure(|| {
            for _ in 0..1000 {
                let token = client.token().expect("held");
                assert_eq!(std::hint::black_box(&token).len(), 17);
            }
        });
        assert_eq!((count.count_total, count.bytes_total), (0, 0));
    }
}
