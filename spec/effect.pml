/* The effect protocol: one task, one acting request (an effect), two nodes, one outside receiver.

   What is modelled
   - The journal row {state, epoch, group}: each commit is one atomic compare-and-set.
   - Nodes that crash, are cut off, or are paused between any two statements. A takeover may happen at any
     moment, also while the former owner is alive and about to send: a lease is not a lock.
   - A wire that loses and reorders, and a receiver that takes a request first and acts later.
   - Answers that get lost: a sender may give up waiting at any time.
   Not modelled: liveness, several effects, loss of the journal itself (a database failover).

   Choose the contract of the tool with -DEFFECT=ONCE | IDEMPOTENT | PROBE | PROBE_CLOSE, and switch rules on
   or off with the other -D flags below. check.py knows which combinations must hold and which must break. */

#define ONCE 0        /* never sent again; a person decides                                */
#define IDEMPOTENT 1  /* the receiver ignores a key that it has seen                       */
#define PROBE 2       /* a second tool tells whether it happened                           */
#define PROBE_CLOSE 3 /* the same, and a probe that says no closes the key: late requests are refused */

#ifndef EFFECT
#define EFFECT ONCE
#endif

/* Safeguards:   EGRESS_GATE     a send is atomic with the check that the epoch is still ours
                 SEND_DEADLINE   every send is refused once the key's deadline has passed
                 RESEND_HORIZON  the same check, but only on a resend (too weak)
                 EXPIRY_MARGIN   the receiver forgets a key only a whole request life after the deadline
                 RECHECK         the epoch is read just before the send, not atomically (too weak)
   Environment:  KEY_EXPIRES     the receiver forgets the key at some time
   Planted bugs: NO_SETTLE       the doubt is resolved while a request may be on its way
                 NO_FENCE        an outcome is written without comparing epoch and state
                 BLIND_RESEND    an intent found after a takeover is simply sent again
                 LATE_CLOSE      probing and closing the key are two calls
                 ASSUME_DONE     a send without an answer counts as done                   */

#define MAX_SENDS 3
#define MAX_TAKEOVERS 4
#define MAX_CRASHES 2
#define LAST_GROUP 1 /* one retry under a new key */

mtype = { none, intent, in_doubt, done, failed };

/* The journal row of the effect. */
mtype state = none;
byte epoch = 0; /* raised by each takeover */
byte group = 0; /* attempt group: part of the key */

/* The world outside. */
byte wire[2];          /* requests on their way, by attempt group */
bit working = 0;       /* the receiver has taken a request and not acted yet */
byte applied = 0;      /* how often the receiver acted: the truth we are after */
byte closed_below = 0; /* requests of lower attempt groups are refused */
bit past_deadline = 0; /* the sender's last moment for this key */
bit key_forgotten = 0; /* the receiver no longer knows the key */

/* Bounds, and a witness. */
byte sends = 0, takeovers = 0, crashes = 0;
bit terminal_changed = 0;

#define HAPPENED (applied > 0)
#define NOTHING_IN_FLIGHT (wire[0] + wire[1] == 0 && !working)
#define OURS (epoch == my_epoch)

#ifdef EGRESS_GATE
#define GATE_OPEN OURS
#else
#define GATE_OPEN true
#endif

#if defined(SEND_DEADLINE)
#define IN_TIME (!past_deadline)
#elif defined(RESEND_HORIZON)
#define IN_TIME (!resending || !past_deadline)
#else
#define IN_TIME true
#endif

inline set_state(next) {
  if
  :: (state == done || state == failed) -> terminal_changed = 1
  :: else -> skip
  fi;
  state = next
}

/* The receiver -------------------------------------------------------------------------------------- */

inline act(g) {
  atomic {
    working = 0;
    if
    :: (EFFECT == IDEMPOTENT && HAPPENED && !key_forgotten) -> skip
    :: (EFFECT == PROBE_CLOSE && g < closed_below) -> skip
    :: else -> applied++
    fi
  }
}

active proctype Receiver() {
end:
  do
  :: atomic { wire[0] > 0 -> wire[0]--; working = 1 }; act(0)
  :: atomic { wire[1] > 0 -> wire[1]--; working = 1 }; act(1)
  :: atomic { wire[0] > 0 -> wire[0]-- } /* lost on the way */
  :: atomic { wire[1] > 0 -> wire[1]-- }
  od
}

#ifdef KEY_EXPIRES
active proctype Clock() {
  past_deadline = 1;
#ifdef EXPIRY_MARGIN
  NOTHING_IN_FLIGHT;
#endif
  key_forgotten = 1
}
#endif

/* A node -------------------------------------------------------------------------------------------- */

proctype Node() {
  byte my_epoch, my_group;
  bit resending;

take_over:
  atomic {
    if
    :: takeovers < MAX_TAKEOVERS -> takeovers++; epoch++; my_epoch = epoch; resending = 0
    :: else -> goto stop
    fi
  };
  atomic {
    my_group = group;
    if
    :: state == none -> goto plan
    :: state == intent -> goto doubt
    :: state == in_doubt -> goto resolve
    :: else -> goto stop
    fi
  };

plan: /* the intent is durable before anything is sent */
  atomic {
    if
#ifdef NO_FENCE
    :: state == none -> set_state(intent)
#else
    :: (OURS && state == none) -> set_state(intent)
#endif
    :: else -> goto take_over
    fi
  };

send:
  if
  :: crashes < MAX_CRASHES -> crashes++; goto take_over
  :: true
  fi;
#ifdef RECHECK
  if
  :: OURS
  :: else -> goto take_over
  fi;
#endif
  atomic {
    if
    :: (GATE_OPEN && IN_TIME && sends < MAX_SENDS) -> sends++; wire[my_group]++
    :: !GATE_OPEN -> goto take_over
    :: else -> goto stop
    fi
  };

  /* The answer comes, does not come, or finds nobody. */
  if
  :: HAPPENED -> goto record
#ifdef ASSUME_DONE
  :: goto record
#endif
  :: goto doubt
  :: crashes < MAX_CRASHES -> crashes++; goto take_over
  fi;

record:
  atomic {
    if
#ifdef NO_FENCE
    :: state != done -> set_state(done)
#else
    :: (OURS && (state == intent || state == in_doubt)) -> set_state(done)
#endif
    :: else -> goto take_over
    fi;
    goto stop
  };

doubt: /* an intent without an outcome */
#ifdef BLIND_RESEND
  goto send;
#endif
  if
  :: EFFECT == IDEMPOTENT -> resending = 1; goto send
  :: else
  fi;
  atomic {
    if
    :: (OURS && state == intent) -> set_state(in_doubt)
    :: else -> goto take_over
    fi
  };

resolve:
#ifndef NO_SETTLE
  NOTHING_IN_FLIGHT; /* wait out the longest life of a request, on the wire and inside the receiver */
#endif
  if
  :: EFFECT == IDEMPOTENT -> resending = 1; goto send
  :: EFFECT == ONCE -> /* a person looks at the world and asserts what is seen */
    if
    :: HAPPENED -> goto record
    :: else
    fi;
    atomic {
      if
      :: (OURS && state == in_doubt) -> set_state(failed); goto stop
      :: else -> goto take_over
      fi
    }
  :: EFFECT == PROBE ->
    if
    :: HAPPENED -> goto record
    :: else
    fi
  :: EFFECT == PROBE_CLOSE ->
#ifdef LATE_CLOSE
    if
    :: HAPPENED -> goto record
    :: else
    fi;
    closed_below = my_group + 1
#else
    atomic {
      if
      :: HAPPENED -> goto record
      :: else -> if
        :: closed_below <= my_group -> closed_below = my_group + 1
        :: else
        fi
      fi
    }
#endif
  fi;

  /* Not done, says the probe: a new intent under a new key. */
  atomic {
    if
    :: (OURS && state == in_doubt && group < LAST_GROUP) ->
      group++; my_group = group; set_state(intent); goto send
    :: OURS -> goto stop /* a person takes it from here */
    :: else -> goto take_over
    fi
  };

stop:
  skip
}

init { atomic { run Node(); run Node() } }

/* What must hold ------------------------------------------------------------------------------------ */

ltl at_most_once       { [] (applied <= 1) }
ltl done_honest        { [] ((state == done) -> (applied >= 1)) }
ltl terminal_immutable { [] (!terminal_changed) }
ltl failed_honest      { [] ((state == failed) -> (applied == 0)) }

/* What must be reachable, or the claims above would say nothing: each of these has to be violated. */

ltl never_done         { [] (state != done) }
ltl never_failed       { [] (state != failed) }
ltl never_in_doubt     { [] (state != in_doubt) }
ltl never_new_group    { [] (group == 0) }
ltl never_resent       { [] (sends <= 1) }
ltl never_forgotten    { [] (!(key_forgotten && applied >= 1)) }
