package dev.fermata;

import android.app.Application;
import android.content.Intent;
import android.os.PowerManager;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import phone.Phone;

/** Plays the system's events to the shim: first with a recorder in the keeper's place, then with the real keeper. */
public final class Driver {
    private static final Application application = new Application();
    private static final String SYNC = "fermata:sync", PAUSING = "fermata:pausing";
    private static int failures, cases;

    private Driver() {}

    private static void expect(boolean true_, String what) {
        if (!true_) {
            failures++;
            System.out.println("  FAILED: " + what);
        }
    }

    private static void heard(String expected) {
        String heard = Recorder.heard();
        expect(heard.equals(expected), "heard \"" + heard + "\", expected \"" + expected + "\"");
    }

    private static void until(String what, BooleanSupplier done) {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!done.getAsBoolean() && System.nanoTime() < deadline) {
            Phone.advance(0);
            LockSupport.parkNanos(1_000_000);
        }
        expect(done.getAsBoolean(), what + " did not come to be; " + Native.reason());
    }

    private static void run(String sentence, Runnable test) {
        cases++;
        int before = failures;
        test.run();
        expect(!Phone.logged("CRASH"), "the system would have crashed the app");
        System.out.println((failures == before ? "ok      " : "FAILED  ") + sentence);
        Phone.forget();
    }

    /** With a recorder, from a phone on which the app is open and nothing is held. */
    private static void row(String sentence, Runnable test) {
        run(sentence, () -> {
            Recorder.start();
            Phone.openApp();
            Recorder.heard();
            test.run();
            Recorder.release();
            Phone.openApp();
            Phone.leaveApp();
            Phone.openApp();
            Recorder.end();
            Phone.advance(60_000);
            Recorder.heard();
            expect(!Phone.serviceRuns() && !Phone.isAwake(SYNC), "something is held at the end");
        });
    }

    private static void hold() {
        Recorder.acquire();
        Phone.advance(0);
        Recorder.heard();
    }

    private static void appRows() {
        row("leaving is told after the moment in which another activity may come", () -> {
            Phone.leaveApp();
            heard("inactive, background 10000");
            Phone.openApp();
            heard("foreground");
        });
        row("from one activity to the next nothing is told", () -> {
            Phone.turnPage(300);
            Phone.advance(10_000);
            heard("");
        });
        row("an activity that is seen but not in front is inactive", () -> {
            Phone.coverApp();
            Phone.advance(700);
            heard("inactive");
            Phone.hideApp();
            Phone.advance(700);
            heard("background 10000");
        });
        row("pausing is done awake, and sleep is allowed once it is done", () -> {
            Phone.leaveApp();
            expect(Phone.isAwake(PAUSING), "it must be awake");
            Recorder.readyToSuspend();
            expect(!Phone.isAwake(PAUSING), "it may sleep");
        });
        row("a pause that nobody makes keeps nothing awake for ever", () -> {
            Phone.leaveApp();
            Phone.advance(10_001);
            expect(!Phone.isAwake(PAUSING), "it may sleep");
        });
        row("low power, battery, network and locked files are conditions", () -> {
            Phone.powerSave = true;
            Phone.broadcast(new Intent(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED));
            heard("conditions low_power");
            Phone.powerSave = false;
            Phone.broadcast(Phone.battery(17, false));
            heard("conditions battery=17");
            Phone.broadcast(Phone.battery(17, false));  // its temperature changed
            heard("");
            Phone.broadcast(Phone.battery(17, true));
            heard("conditions");
            Phone.payForNetwork(true);
            heard("conditions metered");
            Phone.payForNetwork(false);
            Phone.unlocked = false;
            Phone.broadcast(new Intent(Intent.ACTION_USER_UNLOCKED));
            heard("conditions, conditions locked");
            Phone.unlocked = true;
            Phone.broadcast(new Intent(Intent.ACTION_USER_UNLOCKED));
        });
    }

    private static void serviceRows() {
        row("a service is held once it is in the foreground, and the device is kept awake", () -> {
            Recorder.acquire();
            heard("");
            Phone.advance(0);
            heard("held");
            expect(Phone.serviceRuns() && Phone.isAwake(SYNC), "it must run awake");
            Recorder.release();
            Phone.advance(0);
            expect(!Phone.serviceRuns() && !Phone.isAwake(SYNC), "it must be over");
            heard("");
        });
        row("acquiring what is held is harmless", () -> {
            hold();
            Recorder.acquire();
            heard("held");
            expect(Phone.count("start service") == 1, "one service is enough");
        });
        row("a service released while it starts enters the foreground before it stops", () -> {
            Recorder.acquire();
            Recorder.release();
            expect(Phone.count("stop service") == 0, "stopping now would crash the app");
            Phone.advance(0);
            heard("");
            expect(Phone.count("in foreground") == 1 && Phone.count("stop service") == 1, "it must stop itself");
        });
        row("a service released and acquired again while it starts is held", () -> {
            Recorder.acquire();
            Recorder.release();
            Recorder.acquire();
            Phone.advance(0);
            heard("held");
        });
        row("a start from the background that the system forbids is refused", () -> {
            Phone.refuseStart = new IllegalStateException("not allowed");
            Recorder.acquire();
            heard("refused");
            Phone.refuseStart = null;
            Recorder.acquire();
            Phone.advance(0);
            heard("held");
        });
        row("a service that the manifest does not allow is unsupported, in words", () -> {
            Phone.refuseStart = new SecurityException("no permission");
            Recorder.acquire();
            heard("unsupported");
            expect(Phone.logged("the manifest lacks"), "it must be explained");
            Phone.refuseStart = null;
        });
        row("a service that may not enter the foreground is refused and stopped", () -> {
            Phone.refuseForeground = new IllegalStateException("Time limit already exhausted");
            Recorder.acquire();
            Phone.advance(0);
            heard("refused");
            expect(Phone.count("stop service") == 1, "it must not linger");
            Phone.refuseForeground = null;
        });
        row("a service that times out expires, and is not tried again before people return", () -> {
            hold();
            Phone.serviceTimesOut();
            heard("expired 3000");
            Recorder.release();
            Phone.advance(0);
            expect(!Phone.serviceRuns(), "it must be stopped");
            Recorder.acquire();
            heard("unsupported");
            Phone.leaveApp();
            Phone.openApp();
            Recorder.heard();
            Recorder.acquire();
            Phone.advance(0);
            heard("held");
        });
        row("a service that times out and that nobody stops stops itself", () -> {
            hold();
            Phone.serviceTimesOut();
            Phone.advance(Keepalive.LAST_MOMENTS_MS);
            expect(!Phone.serviceRuns(), "the system would crash the app");
        });
        row("a service that is killed is lost, and can be had again", () -> {
            hold();
            Phone.killService();
            heard("lost");
            expect(!Phone.isAwake(SYNC), "nothing is held");
            Recorder.acquire();
            Phone.advance(0);
            heard("held");
        });
        row("doze interrupts, unless people exempted the app", () -> {
            hold();
            Phone.doze(true);
            heard("interrupted");
            Phone.doze(false);
            heard("interruption_ended");
            Phone.exempt = true;
            Phone.doze(true);
            Phone.doze(false);
            heard("");
            Phone.exempt = false;
        });
        row("the wake lock is renewed while it is held and lapses by itself", () -> {
            hold();
            for (int minute = 0; minute < 10; minute++) {
                Phone.advance(60_000);
                expect(Phone.isAwake(SYNC), "it must be awake in minute " + minute);
            }
        });
    }

    private static void keeperCases() {
        BackgroundSync sync = BackgroundSync.shared(application);
        Phone.openApp();
        run("the keeper starts the service when the app is left, and stops it on return", () -> {
            sync.start(BackgroundSync.Mode.ALWAYS);
            expect(sync.isOn(), "what was asked for");
            Phone.leaveApp();
            until("a service", () -> Phone.serviceRuns() && sync.isHolding());
            expect(sync.isSyncing(), "sync runs");
            Phone.openApp();
            until("no service", () -> !Phone.serviceRuns());
        });
        run("the keeper has a killed service again", () -> {
            Phone.leaveApp();
            until("a service", () -> sync.isHolding());
            Phone.killService();
            until("another service", () -> Phone.serviceRuns() && sync.isHolding());
            Phone.openApp();
            until("no service", () -> !Phone.serviceRuns());
        });
        run("after doze the keeper holds the service again", () -> {
            Phone.leaveApp();
            until("a service", () -> sync.isHolding());
            Phone.doze(true);
            until("an interruption", () -> !sync.isHolding());
            Phone.doze(false);
            until("a service", () -> sync.isHolding());
            Phone.openApp();
            until("no service", () -> !Phone.serviceRuns());
        });
        run("when the six hours are over sync is paused and the service stopped in time", () -> {
            Phone.leaveApp();
            until("a service", () -> sync.isHolding());
            Phone.serviceTimesOut();
            until("no service", () -> !Phone.serviceRuns());
            Phone.openApp();
            until("sync", () -> sync.isSyncing());
        });
        run("stopped, the keeper lets the app go and the device sleep", () -> {
            Phone.leaveApp();
            until("a service", () -> sync.isHolding());
            sync.stop();
            until("no service", () -> !Phone.serviceRuns());
            until("sleep", () -> !Phone.isAwake(SYNC));
            expect(!sync.isOn() && !sync.reason().isEmpty(), "it says why");
            Phone.openApp();
        });
    }

    public static void main(String[] arguments) {
        BackgroundSync.shared(application);
        appRows();
        serviceRows();
        keeperCases();
        System.out.println(cases + " cases, " + failures + " failures");
        System.exit(failures == 0 ? 0 : 1);
    }
}
