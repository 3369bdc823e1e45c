"""The names of bodies, requests and frames in the specification, which the vectors have."""

from anonp2p.protocol import frames

NAMES: dict[type, str] = {
    frames.TextBody: "Text",
    frames.NickBody: "Nick",
    frames.LeaveBody: "Leave",
    frames.JoinedBody: "Joined",
    frames.AwayBody: "Lost",
    frames.CloseBody: "Close",
    frames.BackBody: "Back",
    frames.RenewBody: "Renew",
    frames.LockBody: "Lock",
    frames.CommitBody: "Commit",
    frames.PrivateBody: "Private",
    frames.JoinRequest: "Join",
    frames.ResumeRequest: "Resume",
    frames.SubmitFrame: "Submit",
    frames.KeyFrame: "Leaf",
    frames.KeyRequestFrame: "Seek",
    frames.RefusedFrame: "Refused",
    frames.WelcomeFrame: "Welcome",
    frames.PageFrame: "Page",
    frames.ResumedFrame: "Resumed",
    frames.BackfillFrame: "Past",
    frames.CommitShareFrame: "Slice",
    frames.DeniedFrame: "Denied",
    frames.KeyResponseFrame: "Found",
    frames.KeyNotFoundFrame: "Missing",
}


def spec_name(value: object) -> str:
    """What PROTOCOL.md calls the class of a value."""
    return NAMES[type(value)]
