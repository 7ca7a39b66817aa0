//! A terminal with the cli example behind it: types commands, shows what comes back and checks it.
//! Knows nothing of MQTT.

use crate::session::Step;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// For all answers to one command: more than the library's own limit, after which the menu would
/// tell that the broker is silent.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What the program shows, in the pieces that a session is made of.
#[derive(Clone, PartialEq)]
enum Output {
    Prompt,
    Line(String),
}

pub struct Terminal {
    program: Child,
    screen: Receiver<Vec<u8>>,
    unfinished_line: String,
    unread: VecDeque<Output>,
    /// Behind the prompt, where the user types.
    at_prompt: bool,
}

impl Terminal {
    pub fn open(program: &Path, arguments: &[OsString]) -> io::Result<Terminal> {
        let mut program = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = program.stdout.take();
        let (sender, screen) = mpsc::channel();
        // Reading a pipe cannot be given a time limit; receiving from a channel can.
        thread::spawn(move || {
            output.map(|output| forward(output, |bytes| sender.send(bytes).is_ok()))
        });
        Ok(Terminal {
            program,
            screen,
            unfinished_line: String::new(),
            unread: VecDeque::new(),
            at_prompt: false,
        })
    }

    /// Waits for the prompt, whatever the program says before it.
    pub fn wait_for_prompt(&mut self) -> Result<(), String> {
        let until = Instant::now() + TIME_LIMIT;
        loop {
            match self.next(until) {
                Ok(Output::Prompt) => return Ok(()),
                Ok(Output::Line(_)) => {}
                Err(instead) => return Err(format!("expected the first prompt, but {instead}")),
            }
        }
    }

    /// Shows a heading of ours, apart from what the program shows.
    pub fn show_title(&mut self, title: &str) {
        if std::mem::take(&mut self.at_prompt) {
            println!();
        }
        println!("\n== {title}");
    }

    /// Types the step's command and insists on its answers, and on no others.
    pub fn play(&mut self, step: &Step) -> Result<(), String> {
        self.type_line(&step.command)?;
        self.answers(step)
            .map_err(|problem| format!("after {:?}: {problem}", step.command))
    }

    /// Types the last command: the program must end well, with nothing more to say.
    pub fn leave(mut self, command: &str) -> Result<(), String> {
        self.type_line(command)?;
        let until = Instant::now() + TIME_LIMIT;
        match self.next(until) {
            Ok(output) => {
                return Err(format!(
                    "after {command:?}: expected nothing, but saw {output}"
                ));
            }
            Err(instead) if self.ended().is_none() => {
                return Err(format!("after {command:?}: {instead}"));
            }
            Err(_) => {}
        }
        match self.ended() {
            Some(status) if status.success() => Ok(()),
            _ => Err(format!("after {command:?}: {}", self.how_it_ended())),
        }
    }

    fn answers(&mut self, step: &Step) -> Result<(), String> {
        let until = Instant::now() + TIME_LIMIT;
        for reply in &step.replies {
            self.expect(&[Output::Line(reply.to_string())], until)?;
        }
        self.expect(&[Output::Prompt], until)?;

        let mut events: Vec<Output> = step
            .events
            .iter()
            .map(|event| Output::Line(event.to_string()))
            .collect();
        while !events.is_empty() {
            let index = self.expect(&events, until)?;
            events.remove(index);
        }
        Ok(())
    }

    /// The next output must be one of these: which one it is.
    fn expect(&mut self, wanted: &[Output], until: Instant) -> Result<usize, String> {
        let instead = match self.next(until) {
            Ok(output) => match wanted.iter().position(|wanted| *wanted == output) {
                Some(index) => return Ok(index),
                None => format!("saw {output}"),
            },
            Err(instead) => instead,
        };
        let wanted: Vec<String> = wanted.iter().map(Output::to_string).collect();
        Err(format!("expected {}, but {instead}", wanted.join(" or ")))
    }

    /// A pipe does not echo, so what is typed is shown here.
    fn type_line(&mut self, line: &str) -> Result<(), String> {
        println!("{line}");
        self.at_prompt = false;
        match &mut self.program.stdin {
            Some(keyboard) => writeln!(keyboard, "{line}")
                .map_err(|error| format!("cannot type {line:?}: {error}")),
            None => Err(format!("cannot type {line:?}: no keyboard")),
        }
    }

    fn next(&mut self, until: Instant) -> Result<Output, String> {
        loop {
            if let Some(output) = self.unread.pop_front() {
                return Ok(output);
            }
            match self
                .screen
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => self.show(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!(
                        "nothing came within {} seconds",
                        TIME_LIMIT.as_secs()
                    ));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.how_it_ended()),
            }
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).replace('\r', "");
        print!("{text}");
        // The prompt does not end its line, and is to be seen all the same.
        let _ = io::stdout().flush();
        for character in text.chars() {
            self.at_prompt = character == '#' && self.unfinished_line.is_empty();
            if self.at_prompt {
                self.unread.push_back(Output::Prompt);
            } else if character != '\n' {
                self.unfinished_line.push(character);
            } else {
                let line = std::mem::take(&mut self.unfinished_line);
                self.unread.push_back(Output::Line(line));
            }
        }
    }

    fn how_it_ended(&mut self) -> String {
        match self.ended() {
            Some(status) => format!("the program ended ({status})"),
            None => "the program closed its output".to_string(),
        }
    }

    /// A program that closed its output is about to end, and waited for.
    fn ended(&mut self) -> Option<ExitStatus> {
        let until = Instant::now() + TIME_LIMIT;
        loop {
            match self.program.try_wait() {
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                result => return result.ok().flatten(),
            }
        }
    }
}

impl Drop for Terminal {
    /// However the session ended, the program does not outlive it.
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Output::Prompt => write!(formatter, "the prompt"),
            Output::Line(line) => write!(formatter, "{line:?}"),
        }
    }
}

/// Hands on what arrives until one of the two ends is gone.
fn forward(mut output: ChildStdout, mut show: impl FnMut(Vec<u8>) -> bool) {
    let mut buffer = [0; 2048];
    while let Ok(length @ 1..) = output.read(&mut buffer) {
        if !show(buffer[..length].to_vec()) {
            return;
        }
    }
}
