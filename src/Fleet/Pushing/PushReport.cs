using System.Globalization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;

namespace Dunlin.Fleet.Pushing;

/// <summary>What was pushed, and how it went so far: one release, or, where devices were sent back, as many as they ran before.</summary>
internal sealed record PushReport(IReadOnlyList<PushedRelease> Releases, IReadOnlyList<PushedDevice> Devices, int ExitCode)
{
    /// <summary>Where there is one release for all, as these; else null.</summary>
    public string? Title => Only?.Title;

    public Digest? Release => Only?.Release;

    public IReadOnlyList<string>? Sources => Only?.Sources;

    private PushedRelease? Only => Releases is [var only] ? only : null;

    /// <param name="plans">What was to be issued, each plan with what was.</param>
    /// <param name="progress">Of all of them.</param>
    /// <param name="exitCode">Of the command.</param>
    public static PushReport Of(IReadOnlyList<(PushPlan Plan, IReadOnlyList<string> Devices)> plans, PushProgress progress, int exitCode)
    {
        var releaseOf = plans.SelectMany(plan => plan.Devices.Select(device => (device, plan.Plan.Release.Id))).ToDictionary(pair => pair.device, pair => pair.Id);
        return new PushReport(
            [.. plans.Select(plan => new PushedRelease(plan.Plan.Release.Title, plan.Plan.Release.Id, [.. plan.Plan.Sources.Select(SourceText.Write)]))],
            [.. progress.Devices.Select(device => new PushedDevice(device.Device, releaseOf[device.Device], device.Counter, device.Directive, device.State, device.Reason, device.Detail))],
            exitCode);
    }

    /// <summary>A sentence for each release.</summary>
    public string ToText(bool hasWaited) => string.Join('\n', Releases.DistinctBy(release => release.Release)
        .Select(release => Sentence(release, [.. Devices.Where(device => device.Release == release.Release)], hasWaited)));

    private static string Sentence(PushedRelease release, IReadOnlyList<PushedDevice> devices, bool hasWaited) => hasWaited
        ? string.Create(CultureInfo.InvariantCulture, $"'{release.Title}': {devices.Count(device => device.State == UpdateState.Committed)} of {devices.Count} devices committed it{Others(devices)}.")
        : string.Create(CultureInfo.InvariantCulture, $"'{release.Title}' ({ReleaseChoice.Short(release.Release)}) is desired of {devices.Count} devices: {string.Join(", ", devices.Take(10).Select(device => $"{device.Device} ({device.Counter})"))}{(devices.Count > 10 ? ", …" : "")}. Follow them with --wait or 'dunlin-fleet watch'.");

    private static string Others(IReadOnlyList<PushedDevice> devices) => string.Concat(devices.Where(device => device.State != UpdateState.Committed).GroupBy(device => device.State)
        .Select(group => $"; {ProgressView.Word(group.Key)}: {string.Join(", ", group.Select(device => device.Reason is null ? device.Device : $"{device.Device} ({device.Reason})"))}"));
}

/// <summary>A release that was pushed, and where from.</summary>
internal sealed record PushedRelease(string Title, Digest Release, IReadOnlyList<string> Sources);

/// <summary>One device of a push; its state is null until it has said anything of its directive.</summary>
internal sealed record PushedDevice(string Device, Digest Release, long Counter, Digest Directive, UpdateState? State, string? Reason, string? Detail);
