//! What the firmware provides, in memory: the link, the clock, the critical section, the callback. Each function keeps watch over
//! the rules of the border; what breaks one is noted in `violations`.

use super::c::{self, MQTT_PLATFORM, Message};
use core::ffi::{CStr, c_char, c_int, c_schar, c_uchar, c_ulong, c_ushort, c_void};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// One call of the callback.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub kind: c_int,
    /// What was told at ptrData; empty where the event asks, `None` where ptrData is null.
    pub data: Option<Vec<u8>>,
    pub length: c_ulong,
    pub reference: u8,
    /// What fnGetMQTT_message told inside.
    pub message: Result<Message, c_int>,
    /// Where ptrData points.
    pub place: usize,
}

/// May answer an event, with what it writes into the room given; `None`: the usual answer.
pub type Hook = Box<dyn FnMut(&Event, &mut [u8]) -> Option<u16> + Send>;

/// An interrupt that the critical section has kept out. Returns whether it comes again.
pub type Interrupt = Box<dyn FnMut() -> bool + Send>;

#[derive(Default)]
pub struct World {
    pub opened: Vec<(Vec<u8>, u16)>,
    pub closed: usize,
    pub sent: Vec<u8>,
    pub incoming: Vec<u8>,
    pub now: c_ulong,
    pub printed: Vec<Vec<u8>>,
    pub wakes: usize,
    pub randoms: usize,
    pub events: Vec<Event>,
    /// What fnOpen answers.
    pub open_result: c_int,
    /// How many bytes fnSend takes at most.
    pub send_limit: Option<usize>,
    /// What fnSend and fnReceive answer instead of taking and giving.
    pub send_result: Option<c_int>,
    pub receive_result: Option<c_int>,
}

static WORLD: Mutex<Option<World>> = Mutex::new(None);
static HOOK: Mutex<Option<Hook>> = Mutex::new(None);
static INTERRUPT: Mutex<Option<Interrupt>> = Mutex::new(None);
static VIOLATIONS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at the world, or changes it. No function of the library may be called meanwhile.
pub fn world<R>(look: impl FnOnce(&mut World) -> R) -> R {
    look(locked(&WORLD).get_or_insert_default())
}

pub fn set_hook(hook: Option<Hook>) {
    *locked(&HOOK) = hook;
}

pub fn set_interrupt(interrupt: Option<Interrupt>) {
    *locked(&INTERRUPT) = interrupt;
}

pub fn take_violations() -> Vec<String> {
    std::mem::take(&mut locked(&VIOLATIONS))
}

fn violation(text: String) {
    locked(&VIOLATIONS).push(text);
}

/// The critical section: a mutex that nests, with a state of its own for each level.
struct Critical {
    owner: Option<ThreadId>,
    states: Vec<c_ulong>,
    entered: c_ulong,
}

static CRITICAL: Mutex<Critical> = Mutex::new(Critical { owner: None, states: Vec::new(), entered: 0 });
static LEFT: Condvar = Condvar::new();

pub fn critical_sections() -> c_ulong {
    locked(&CRITICAL).entered
}

pub fn in_critical_section() -> bool {
    locked(&CRITICAL).owner == Some(thread::current().id())
}

#[unsafe(no_mangle)]
pub extern "C" fn fnEnterMQTT_critical() -> c_ulong {
    let me = Some(thread::current().id());
    let mut critical = locked(&CRITICAL);
    while critical.owner.is_some() && critical.owner != me {
        critical = LEFT.wait(critical).unwrap_or_else(PoisonError::into_inner);
    }
    critical.owner = me;
    critical.entered += 1;
    let state = critical.entered.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    critical.states.push(state);
    state
}

#[unsafe(no_mangle)]
pub extern "C" fn fnExitMQTT_critical(state: c_ulong) {
    let mut critical = locked(&CRITICAL);
    if critical.owner != Some(thread::current().id()) || critical.states.pop() != Some(state) {
        violation("fnExitMQTT_critical without its fnEnterMQTT_critical, or with another state".into());
    }
    if critical.states.is_empty() {
        critical.owner = None;
        LEFT.notify_one();
        drop(critical);
        let interrupt = locked(&INTERRUPT).take();
        if let Some(mut interrupt) = interrupt
            && interrupt()
        {
            set_interrupt(Some(interrupt));
        }
    }
}

static CONTEXT: u8 = 0;

pub static PLATFORM: MQTT_PLATFORM = MQTT_PLATFORM {
    ptrContext: (&raw const CONTEXT).cast_mut().cast(),
    fnOpen: Some(open),
    fnSend: Some(send),
    fnReceive: Some(receive),
    fnClose: Some(close),
    fnMilliseconds: Some(milliseconds),
    fnRandom: Some(random),
    fnUnixTime: None,
    fnPrint: Some(print),
    fnWake: Some(wake),
};

fn watch(function: &str, context: *mut c_void) {
    if context != PLATFORM.ptrContext {
        violation(format!("{function} got another context"));
    }
    if in_critical_section() {
        violation(format!("{function} was called inside the critical section"));
    }
}

extern "C" fn open(context: *mut c_void, address: *const c_uchar, length: c_uchar, port: c_ushort) -> c_int {
    watch("fnOpen", context);
    // SAFETY: the library promises so many bytes.
    let address = if length == 0 { Vec::new() } else { unsafe { std::slice::from_raw_parts(address, length.into()) }.to_vec() };
    world(|world| {
        world.opened.push((address, port));
        world.open_result
    })
}

extern "C" fn send(context: *mut c_void, data: *const c_uchar, length: c_ushort) -> c_int {
    watch("fnSend", context);
    if length == 0 {
        violation("fnSend got no byte".into());
        return 0;
    }
    // SAFETY: the library promises so many bytes.
    let data = unsafe { std::slice::from_raw_parts(data, length.into()) };
    world(|world| {
        world.send_result.unwrap_or_else(|| {
            let taken = data.len().min(world.send_limit.unwrap_or(data.len()));
            world.sent.extend_from_slice(&data[..taken]);
            taken as c_int
        })
    })
}

extern "C" fn receive(context: *mut c_void, data: *mut c_uchar, length: c_ushort) -> c_int {
    watch("fnReceive", context);
    if length == 0 {
        violation("fnReceive got no room".into());
        return 0;
    }
    // SAFETY: the library promises so much room.
    let room = unsafe { std::slice::from_raw_parts_mut(data, length.into()) };
    world(|world| {
        let given = world.incoming.len().min(room.len());
        if given == 0 {
            return world.receive_result.unwrap_or(0);
        }
        room[..given].copy_from_slice(&world.incoming[..given]);
        world.incoming.drain(..given);
        given as c_int
    })
}

extern "C" fn close(context: *mut c_void) {
    watch("fnClose", context);
    world(|world| world.closed += 1);
}

extern "C" fn milliseconds(context: *mut c_void) -> c_ulong {
    watch("fnMilliseconds", context);
    world(|world| world.now)
}

extern "C" fn random(context: *mut c_void, data: *mut c_uchar, length: c_ushort) -> c_int {
    watch("fnRandom", context);
    // SAFETY: the library promises so much room.
    unsafe { std::slice::from_raw_parts_mut(data, length.into()) }.fill(0x5a);
    world(|world| world.randoms += 1);
    0
}

extern "C" fn print(context: *mut c_void, text: *const c_char) {
    watch("fnPrint", context);
    // SAFETY: the library promises a terminated text.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes().to_vec();
    world(|world| world.printed.push(text));
}

extern "C" fn wake(context: *mut c_void) {
    watch("fnWake", context);
    world(|world| world.wakes += 1);
}

fn asks(kind: c_int) -> bool {
    matches!(kind, c::CLIENT_IDENTIFIER..=c::USER_PASSWORD | c::PUBLISH_TOPIC | c::PUBLISH_DATA | c::PUBLISH_DATA_PART)
}

/// Byte `offset` of each stream.
pub fn stream_byte(offset: c_ulong) -> u8 {
    (offset % 251) as u8
}

/// The usual answer to an event that asks.
fn answer(event: &Event, room: &mut [u8]) -> u16 {
    let text: Vec<u8> = match event.kind {
        c::CLIENT_IDENTIFIER => b"abi".into(),
        c::WILL_TOPIC => b"will/topic".into(),
        c::WILL_MESSAGE => b"gone".into(),
        c::USER_NAME => b"anna".into(),
        c::USER_PASSWORD => b"secret".into(),
        c::PUBLISH_TOPIC => b"asked".into(),
        c::PUBLISH_DATA => b"data".into(),
        c::PUBLISH_DATA_PART => {
            let offset = event.message.as_ref().map_or(0, |message| message.offset);
            (0..event.length).map(|step| stream_byte(offset + step)).collect()
        }
        _ => return 0,
    };
    room[..text.len()].copy_from_slice(&text);
    text.len() as u16
}

/// The application's callback.
pub extern "C" fn callback(event: c_schar, data: *mut c_uchar, length: c_ulong, reference: c_uchar) -> c_ushort {
    if in_critical_section() {
        violation(format!("event {event} inside the critical section"));
    }
    let kind = c_int::from(event);
    let message = c::message();
    let room: &mut [u8] = if data.is_null() {
        &mut []
    } else {
        // SAFETY: the library promises so many bytes.
        unsafe { std::slice::from_raw_parts_mut(data, length as usize) }
    };
    let told = if asks(kind) { Vec::new() } else { room.to_vec() };
    let event = Event { kind, data: (!data.is_null()).then_some(told), length, reference, message, place: data as usize };
    world(|world| world.events.push(event.clone()));
    // A hook may call the library, which may not call back before this returns; so it is not locked meanwhile.
    let mut hook = locked(&HOOK).take();
    let answered = hook.as_mut().and_then(|hook| hook(&event, room));
    let mut place = locked(&HOOK);
    if place.is_none() {
        *place = hook;
    }
    drop(place);
    answered.unwrap_or_else(|| answer(&event, room))
}
