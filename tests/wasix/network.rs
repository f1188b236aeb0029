//! Without a rule, there is no network.

use std::net::TcpListener;

use wrun::Limits;

use crate::guest::{End, Program, args, fixture, on_each};

#[test]
fn nothing_is_reached_without_a_grant() {
    on_each(|config| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let connected = program.run(args(&["connect", &port]));
        assert_eq!(connected.end, End::Code(0));
        let errno = |name: &str, stdout: &str| {
            let line = stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
            line.unwrap_or_else(|| panic!("no {name} in {stdout}")).parse::<u32>().unwrap()
        };
        assert_ne!(errno("connect", &connected.stdout), 0);
        assert_ne!(errno("send", &connected.stdout), 0);
        assert!(listener.accept().is_err(), "nobody has come");

        let heard = program.run_within(Limits::none(), args(&["listen", "0"]));
        assert_ne!(errno("listen", &heard.stdout), 0);
        assert_ne!(errno("accept", &heard.stdout), 0);
        assert_ne!(errno("resolve", &program.run(args(&["resolve"])).stdout), 0);
    });
}
