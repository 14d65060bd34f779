using System.CommandLine;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Spectre.Console;

namespace Dunlin.Fleet.Pushing;

/// <summary><c>dunlin-fleet revoke</c>: takes back a release, or a device. A key is taken back by <c>rotate-root</c>.</summary>
internal static class RevokeCommand
{
    public static System.CommandLine.Command Create() =>
        new("revoke", "Takes back a release, or a device. (A key: 'rotate-root --replace' or '--remove'.)") { CreateRelease(), RevokeDeviceCommand.Create() };

    private static System.CommandLine.Command CreateRelease()
    {
        var release = new Argument<string>("RELEASE") { Description = "A bundle's folder, or the id or label of a release that was pushed." };
        var instead = new Option<string?>("--instead") { Description = "The release to go to; default: what each device committed before.", HelpName = "RELEASE" };
        var fleet = new FleetOptions();
        var push = new PushOptions();
        var command = new System.CommandLine.Command("release", "Never names the release again, stops giving out its blobs, and sends the devices that were told to run it to the one before.") { release, instead };
        push.AddTo(command);
        fleet.AddTo(command);
        command.SetAction(Failures.Reported((arguments, speaker, cancellationToken) => RunAsync(
            fleet.Of(arguments), arguments.GetValue(release)!, arguments.GetValue(instead), push, arguments, speaker, PushCommand.LiveConsole(speaker), cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(
        FleetSetup setup, string text, string? instead, PushOptions options, ParseResult arguments, Speaker speaker, IAnsiConsole? live, CancellationToken cancellationToken)
    {
        var root = setup.OpenKeys().Root;
        using var ledger = setup.OpenLedger();
        using var logging = FleetLogging.Create(isVerbose: false, isJson: false);
        var now = setup.Time.GetUtcNow();
        var (bad, _) = ReleaseChoice.Find(text, ledger, root, now);
        KnownRelease? replacement = null;
        if (instead is not null)
        {
            var (found, bundle) = ReleaseChoice.Find(instead, ledger, root, now);
            if (options.Sources(arguments).Any(source => source.Kind == Contracts.Signing.SourceKind.Mqtt)) PushCommand.OfferOverMqtt(setup, found, bundle, ledger);
            replacement = found;
        }

        ledger.Revoke(bad.Id, now);
        await using var push = new Push(setup, ledger, root.Fleet, speaker, live, logging.CreateLogger("revoke"));
        var named = options.Devices(arguments) is { Count: > 0 } some ? await push.FindDevicesAsync(some, cancellationToken) : null;
        var concerned = named ?? [.. ledger.Newest().Where(directive => directive.Release == bad.Id).Select(directive => directive.Device)];
        if (named is null) await push.FindDevicesAsync([], cancellationToken);
        var ways = concerned.Select(device => (Device: device, Target: replacement ?? Before(device, bad.Id, ledger))).ToList();
        var stranded = ways.Where(way => way.Target is null).Select(way => way.Device).ToList();
        var plans = ways.Where(way => way.Target is not null).GroupBy(way => way.Target!.Id).Select(group => (
            new PushPlan
            {
                Release = group.First().Target!,
                Sources = PushCommand.ChooseSources(options.Sources(arguments), group.First().Target!, ledger),
                Policy = options.Policy(arguments),
                Validity = options.Validity(arguments),
            },
            Devices: (IReadOnlyList<string>)[.. group.Select(way => way.Device)])).ToList();
        foreach (var (plan, _) in plans.Where(plan => plan.Item1.Release.SecurityEpoch < bad.SecurityEpoch))
            speaker.Complain($"'{plan.Release.Title}' has security epoch {plan.Release.SecurityEpoch}, and devices that committed '{bad.Title}' ({bad.SecurityEpoch}) will refuse it; build it again with that epoch and push that.");
        if (stranded.Count > 0)
            speaker.Complain($"There is no earlier release for {string.Join(", ", stranded)}; they keep what they run, and get nothing new, until a push or --instead.");
        // Clears what the broker keeps of it, also for the stranded.
        await push.RepublishAsync(cancellationToken);
        if (plans.Count > 0) return await push.RunAsync(plans, options.Waiting(arguments), cancellationToken);
        var report = new RevokeReport(bad.Title, bad.Id, stranded);
        speaker.Say(report, FleetJson.Default.RevokeReport, report.ToText());
        return ExitCodes.Ok;
    }

    private static KnownRelease? Before(string device, Digest bad, Ledger ledger) =>
        ledger.History(device).Where(directive => directive.Release != bad && directive.Result == UpdateState.Committed)
            .Select(directive => ledger.Release(directive.Release)).FirstOrDefault(release => release is { Revoked: null });
}

/// <summary>A release that was taken back where no device had to be sent elsewhere.</summary>
internal sealed record RevokeReport(string Title, Digest Release, IReadOnlyList<string> WithoutEarlierRelease)
{
    public string ToText() => $"'{Title}' ({ReleaseChoice.Short(Release)}) is revoked: it is never named again, and its blobs are not given out.";
}
