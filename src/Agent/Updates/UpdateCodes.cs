using Dunlin.Bundles.Trust;

namespace Dunlin.Agent.Updates;

/// <summary>Why an update did not come to be, for outcomes, journal and log; each has a section in docs/operations.md.</summary>
internal static class UpdateCodes
{
    public const string Superseded = "directive.superseded";
    public const string Revoked = "directive.revoked";
    public const string Stale = "fresh.stale";
    public const string NoRoot = "trust.no-root";
    public const string TrustDamaged = "trust.damaged";
    public const string InstallsLimited = "install.limited";
    public const string Quarantined = "release.quarantined";
    public const string Incompatible = "release.incompatible";
    public const string Incomplete = "release.incomplete";
    public const string NoVariantPassed = "check.no-variant";
    public const string NoWinner = "race.no-winner";
    public const string SwitchFailed = "switch.failed";
    public const string TrialCrashed = "trial.crashed";
    public const string TrialNotFinite = "trial.not-finite";
    public const string TrialSlow = "trial.slow";
    public const string TrialSilent = "trial.silent";
    public const string TrialNoFrames = "trial.no-frames";
    public const string TrialRestarts = "trial.restarts";
    public const string TrialInvalid = "trial.invalid";
    public const string TooManyTransitions = "update.too-many-transitions";
    public const string Fault = "update.fault";
    public const string DiskFull = "disk.full";
    public const string DiskReadOnly = "disk.read-only";
    public const string DiskFailed = "disk.failed";

    public static string OfDirective(VerificationReason reason) => reason switch
    {
        VerificationReason.WrongType => "directive.wrong-type",
        VerificationReason.BelowThreshold => "directive.unsigned",
        VerificationReason.WrongFleet => "directive.wrong-fleet",
        VerificationReason.WrongDevice => "directive.wrong-device",
        VerificationReason.Expired => "directive.expired",
        VerificationReason.CounterBelowFloor => "directive.replayed",
        VerificationReason.TimeBelowFloor => "directive.outdated",
        VerificationReason.TimeAhead => "directive.ahead",
        _ => "directive.malformed",
    };

    public static string OfRelease(VerificationReason reason) => reason switch
    {
        VerificationReason.WrongType => "release.wrong-type",
        VerificationReason.BelowThreshold => "release.unsigned",
        VerificationReason.WrongRelease => "release.mismatch",
        VerificationReason.EpochBelowFloor => "release.epoch-too-low",
        VerificationReason.AgentTooOld => "release.agent-too-old",
        _ => "release.malformed",
    };

    public static string OfRoot(VerificationReason reason) => reason switch
    {
        VerificationReason.WrongType => "root.wrong-type",
        VerificationReason.BelowThreshold => "root.unsigned",
        VerificationReason.WrongFleet => "root.wrong-fleet",
        VerificationReason.Expired => "root.expired",
        VerificationReason.VersionSkipped => "root.version-skipped",
        _ => "root.malformed",
    };

    public static string OfFresh(VerificationReason reason) => reason switch
    {
        VerificationReason.WrongType => "fresh.wrong-type",
        VerificationReason.BelowThreshold => "fresh.unsigned",
        VerificationReason.WrongFleet => "fresh.wrong-fleet",
        VerificationReason.WrongDevice => "fresh.wrong-device",
        VerificationReason.Expired => "fresh.expired",
        VerificationReason.TimeBelowFloor => "fresh.outdated",
        VerificationReason.TimeAhead => "fresh.ahead",
        _ => "fresh.malformed",
    };
}
