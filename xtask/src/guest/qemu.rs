//! The emulator's command line.

use std::ffi::OsString;
use std::path::Path;

use clap::ValueEnum;

/// The accelerator that executes the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Accelerator {
    /// Software emulation: works everywhere
    Tcg,
    /// The processor itself, where /dev/kvm works
    Kvm,
}

/// The machine that a guest gets.
#[derive(Debug, Clone)]
pub struct Machine {
    pub cpus: u32,
    pub memory_mib: u32,
    pub accelerator: Accelerator,
    /// One nanosecond of the guest's clock per instruction, on one processor.
    pub icount: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self { cpus: 2, memory_mib: 1024, accelerator: Accelerator::Tcg, icount: false }
    }
}

/// Files that a machine is started with.
pub struct Files<'a> {
    pub kernel: &'a Path,
    pub initrd: &'a Path,
    pub console: &'a Path,
    /// The names of abstract sockets, each behind the port whose number is its place in the list, counted from 1.
    pub ports: &'a [String],
    /// The terminal of this process is the guest's terminal.
    pub interactive: bool,
    /// The frequency of this host's time-stamp counter.
    pub counter_khz: Option<u64>,
}

impl Machine {
    /// The command that runs the machine until the guest ends.
    pub fn command(&self, files: &Files<'_>) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        let mut push = |items: &[&str]| words.extend(items.iter().map(OsString::from));
        // The kernel ends the emulator when this process ends, however that happens.
        push(&["setpriv", "--pdeathsig", "KILL"]);
        push(&["qemu-system-x86_64", "-no-user-config", "-nodefaults"]);
        // Without ACPI a microvm has one processor and its virtio devices are not found.
        push(&["-M", "microvm,acpi=on"]);
        match (self.accelerator, self.icount) {
            (Accelerator::Tcg, false) => push(&["-accel", "tcg,thread=multi"]),
            (Accelerator::Tcg, true) => push(&["-accel", "tcg", "-icount", "shift=0,sleep=off"]),
            (Accelerator::Kvm, _) => push(&["-accel", "kvm"]),
        }
        push(&["-cpu", self.cpu()]);
        push(&["-smp", &self.cpus.to_string()]);
        push(&["-m", &self.memory_mib.to_string()]);
        push(&["-display", "none", "-monitor", "none", "-no-reboot"]);
        push(&["-append", &self.kernel_arguments(files.counter_khz)]);
        words.push("-kernel".into());
        words.push(files.kernel.into());
        words.push("-initrd".into());
        words.push(files.initrd.into());
        words.push("-serial".into());
        words.push(joined("file:", files.console));

        let mut push = |items: &[&str]| words.extend(items.iter().map(OsString::from));
        push(&["-device", "virtio-serial-device,max_ports=8"]);
        if files.interactive {
            push(&["-chardev", "stdio,id=terminal,signal=off"]);
            push(&["-device", "virtconsole,chardev=terminal,nr=0"]);
        }
        for (index, name) in files.ports.iter().enumerate() {
            let number = index + 1;
            push(&["-chardev", &format!("socket,id=port{number},path={name},abstract=on")]);
            push(&["-device", &format!("virtserialport,chardev=port{number},nr={number},name=port{number}")]);
        }
        words
    }

    fn cpu(&self) -> &'static str {
        match (self.accelerator, self.icount) {
            (Accelerator::Kvm, _) => "host",
            // 6.12 has crashed in cmpxchg16b under multi-threaded emulation; it does without if it does not see it.
            (Accelerator::Tcg, false) => "max,-cx16",
            // With these two, a block copy counts one instruction per byte.
            (Accelerator::Tcg, true) => "max,-cx16,-erms,-fsrm",
        }
    }

    fn kernel_arguments(&self, counter_khz: Option<u64>) -> String {
        // An Oops becomes a panic and a panic ends the guest: no verdict comes from a kernel that has gone wrong.
        // With `reboot=t` and `-no-reboot`, rebooting ends the emulator.
        // A task that is stuck in the kernel for two minutes ends the guest too, with its stack on the console.
        // The crypto layer's tests of itself take a tenth of an emulated boot.
        let mut arguments =
            String::from("console=ttyS0 panic=-1 oops=panic hung_task_panic=1 reboot=t random.trust_cpu=on");
        arguments.push_str(" cryptomgr.notests");
        let counter_khz = match (self.accelerator, self.icount) {
            (Accelerator::Kvm, _) => None,
            (Accelerator::Tcg, true) => Some(1_000_000),
            (Accelerator::Tcg, false) => counter_khz,
        };
        if let Some(khz) = counter_khz {
            arguments.push_str(&format!(" tsc=reliable clocksource=tsc tsc_early_khz={khz}"));
        }
        arguments
    }
}

fn joined(prefix: &str, path: &Path) -> OsString {
    let mut word = OsString::from(prefix);
    word.push(path);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(machine: &Machine, interactive: bool) -> Vec<String> {
        let ports = ["a".to_owned(), "b".to_owned()];
        let files = Files {
            kernel: Path::new("/k/vmlinuz"),
            initrd: Path::new("/r/initrd"),
            console: Path::new("/r/console"),
            ports: &ports,
            interactive,
            counter_khz: Some(2_500_000),
        };
        machine.command(&files).into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    fn after<'a>(words: &'a [String], option: &str) -> Vec<&'a str> {
        words.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].as_str()).collect()
    }

    #[test]
    fn the_default_machine_is_emulated_with_two_processors() {
        let words = words(&Machine::default(), false);
        assert_eq!(after(&words, "-accel"), ["tcg,thread=multi"]);
        assert_eq!(after(&words, "-cpu"), ["max,-cx16"]);
        assert_eq!(after(&words, "-smp"), ["2"]);
        assert_eq!(after(&words, "-serial"), ["file:/r/console"]);
        assert_eq!(
            after(&words, "-chardev"),
            ["socket,id=port1,path=a,abstract=on", "socket,id=port2,path=b,abstract=on"]
        );
        let append = after(&words, "-append")[0];
        assert!(append.contains("reboot=t"));
        assert!(append.contains("tsc_early_khz=2500000"));
    }

    #[test]
    fn counting_instructions_changes_clock_and_processor() {
        let machine = Machine { cpus: 1, icount: true, ..Machine::default() };
        let words = words(&machine, false);
        assert_eq!(after(&words, "-icount"), ["shift=0,sleep=off"]);
        assert_eq!(after(&words, "-cpu"), ["max,-cx16,-erms,-fsrm"]);
        assert!(after(&words, "-append")[0].contains("tsc_early_khz=1000000"));
    }

    #[test]
    fn a_terminal_is_a_console_of_its_own() {
        let words = words(&Machine::default(), true);
        assert!(after(&words, "-chardev").contains(&"stdio,id=terminal,signal=off"));
        assert!(after(&words, "-device").contains(&"virtconsole,chardev=terminal,nr=0"));
    }
}
