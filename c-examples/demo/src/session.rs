//! The session of the μTasker MQTT document, section 3: what is typed and what must come back.
//! Reads `session.txt`, which is written as the document prints it:
//!
//! ```text
//! == the title of a part
//! > what is typed
//! lines that the menu prints, in this order
//! #the prompt, then lines that the MQTT callback prints, in the order that the broker chooses
//! ```

/// One command and the answers to it.
pub struct Step {
    /// The title of the part that begins here.
    pub title: Option<&'static str>,
    pub command: String,
    /// Come before the next prompt, in this order.
    pub replies: Vec<&'static str>,
    /// Come after that prompt, in any order.
    pub events: Vec<&'static str>,
    prompted: bool,
}

/// The whole session, with `connect` as the command and `broker` as the address to connect to.
pub fn steps(connect: &str, broker: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut title = None;
    for line in include_str!("session.txt")
        .lines()
        .filter(|line| !line.is_empty())
    {
        if let Some(text) = line.strip_prefix("== ") {
            title = Some(text);
        } else if let Some(command) = line.strip_prefix("> ") {
            steps.push(Step {
                title: title.take(),
                command: command.replace("mqtt_con {broker}", &format!("{connect} {broker}")),
                replies: Vec::new(),
                events: Vec::new(),
                prompted: false,
            });
        } else if let Some(step) = steps.last_mut() {
            step.answer(line);
        }
    }
    steps
}

impl Step {
    fn answer(&mut self, line: &'static str) {
        let event = match line.strip_prefix('#') {
            Some(event) => {
                self.prompted = true;
                event
            }
            None if self.prompted => line,
            None => return self.replies.push(line),
        };
        if !event.is_empty() {
            self.events.push(event);
        }
    }
}
