using Dunlin.Agent.Children;
using Dunlin.Agent.Configuration;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Agent.Racing;

/// <summary>One race from the list of contenders to the verdict (docs/architecture.md). Everything that touches a model happens in heat processes.</summary>
internal sealed class Race(HeatRunner heats, Vetting vetting, Quarantined quarantine, Func<BoardFacts> look, RaceOptions options, EnergyProbe energy, TimeProvider time) : IDisposable
{
    private const double Alpha = 0.01;
    private const double TieMargin = 0.05;
    private const long ProcessByteCount = 256L * 1024 * 1024;

    // Opening, warming up and the least rounds, in two stages.
    private const int RunsOutsideBudget = 20;
    private static readonly TimeSpan ProcessTime = TimeSpan.FromSeconds(20), AloneTime = TimeSpan.FromSeconds(1), LongestUnbudgeted = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private long? _freeAtRest;

    public void Dispose() => _turn.Dispose();

    /// <summary>Call it when nothing serves: the memory that is free then is what a contender may need, since what serves would make room for it.</summary>
    public void LookAtRest() => _freeAtRest = look().MemoryAvailableByteCount;

    public IReadOnlyList<Contender> Enumerate(Bundle bundle, ContenderId? incumbent) => Contenders.Enumerate(bundle.Manifest, WithFreeAtRest(look()), new ContenderOptions
    {
        ExecutionProviders = [Providers.Cpu],
        AccuracyFloor = options.AccuracyFloor,
        Variant = options.Variant,
        MaximumThreads = options.MaximumThreads == 0 ? null : options.MaximumThreads,
        IsPresent = variant => bundle.Present.Any(present => present.Id == variant.Id),
        Quarantined = variant => quarantine.WhyNot(bundle.ReleaseId, variant),
        Incumbent = incumbent,
    });

    /// <summary>What a cached verdict must have been reached under.</summary>
    public RaceConditions ConditionsOf(Bundle bundle, IReadOnlyList<Contender> contenders, Objective? objective = null)
    {
        var board = look();
        return new RaceConditions
        {
            Release = bundle.ReleaseId,
            Contenders = [.. contenders.Where(contender => contender.Blocked is null).Select(contender => contender.Id).OrderBy(id => id.ToString(), StringComparer.Ordinal)],
            Objective = objective ?? options.Objective,
            AccuracyFloor = Math.Max(bundle.Manifest.AccuracyFloor, options.AccuracyFloor),
            DeadlineMilliseconds = options.DeadlineMilliseconds > 0 ? options.DeadlineMilliseconds : null,
            BudgetMilliseconds = (int)(options.BudgetSeconds * 1000),
            UsableCores = board.UsableCores,
            MemoryLimitByteCount = board.MemoryLimitByteCount,
            OnnxRuntimeVersion = OnnxRuntime.Version,
            AgentVersion = AgentVersion.Text,
            CpuModel = board.CpuModel,
            CpuGovernor = board.CpuGovernor,
            ExecutionProviders = [Providers.Cpu],
            Kernel = board.Kernel,
            PowerMeter = (objective ?? options.Objective) == Objective.Latency ? null : energy.Meter,
        };
    }

    /// <summary>One race at a time: two would measure each other.</summary>
    /// <param name="request">What is raced.</param>
    /// <param name="cancellationToken">Ends the heat under way.</param>
    public Task<Verdict> RunAsync(RaceRequest request, CancellationToken cancellationToken) => InTurnAsync(() => RaceAsync(request, cancellationToken), cancellationToken);

    /// <summary>Does what a race would measure, or be disturbed by, while none is run.</summary>
    public async Task<T> InTurnAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<Verdict> RaceAsync(RaceRequest request, CancellationToken cancellationToken)
    {
        var (bundle, contenders, incumbent) = (request.Bundle, request.Contenders, request.Incumbent);
        var started = time.GetUtcNow();
        var clock = time.GetTimestamp();
        var conditions = ConditionsOf(bundle, contenders, request.Objective);
        var left = contenders.Select(contender => contender.Blocked).OfType<ContenderVerdict>().ToList();
        var golden = new Dictionary<string, GoldenResult>();
        var sessions = new List<SessionSpec>();
        foreach (var entry in contenders.Where(contender => contender.Blocked is null).GroupBy(contender => (contender.Variant.Id, contender.Id.ExecutionProvider)))
        {
            var variant = entry.First().Variant;
            var result = request.Known.FirstOrDefault(known => known.Variant == variant && known.Session?.Contender.ExecutionProvider == entry.Key.ExecutionProvider)
                ?? await vetting.VetAsync(bundle, variant, entry.Key.ExecutionProvider, cancellationToken);
            if (result.Golden is { } counted) golden[variant.Id] = counted;
            if (result.Session is { } session)
            {
                request.Vetted?.Invoke(session);
                sessions.AddRange(entry.Select(contender => session with { Contender = contender.Id }));
            }
            else
            {
                left.AddRange(entry.Select(contender => VerdictAssembly.Failed(variant, contender.Id, result.Code, result.Reason, result.Golden)));
            }
        }

        HeatVerdict? heat = null;
        if (sessions.Count > 0)
        {
            var all = HeatOf(conditions, sessions, incumbent, contenders);
            var outcome = await HeatAsync(all, contenders, cancellationToken);
            if (HasBroken(outcome) && sessions.DistinctBy(session => session.Contender.Variant).Count() > 1)
                outcome = await WithoutTheCulpritAsync(all, contenders, Leave, cancellationToken) ?? outcome;
            heat = outcome.Answer as HeatVerdict;
            if (heat is null) Leave(sessions, outcome);
        }

        void Leave(IEnumerable<SessionSpec> fallen, HeatOutcome outcome)
        {
            foreach (var session in fallen.ToList())
            {
                sessions.Remove(session);
                left.Add(VerdictAssembly.Failed(VariantOf(contenders, session), session.Contender, outcome.Code, outcome.Reason, golden.GetValueOrDefault(session.Contender.Variant)));
            }
        }

        return VerdictAssembly.Assemble(new RaceRecord
        {
            Manifest = bundle.Manifest,
            Conditions = conditions,
            Started = started,
            ElapsedMilliseconds = time.GetElapsedTime(clock).TotalMilliseconds,
            Left = left,
            Golden = golden,
            Heat = heat,
        });
    }

    /// <summary>
    /// One process runs them all, and one of them has broken it: each variant alone shows which. Those are quarantined, unless
    /// the board was short of memory, and the others race; if only all together break it, they meet two at a time.
    /// </summary>
    /// <returns>Of the others' race; null if nobody is left.</returns>
    private async Task<HeatOutcome?> WithoutTheCulpritAsync(
        Heat heat, IReadOnlyList<Contender> contenders, Action<IEnumerable<SessionSpec>, HeatOutcome> leave, CancellationToken cancellationToken)
    {
        var sound = new List<SessionSpec>();
        foreach (var sessions in heat.Sessions.GroupBy(session => session.Contender.Variant))
        {
            var alone = heat with { Sessions = [.. sessions], BudgetMilliseconds = (int)AloneTime.TotalMilliseconds };
            var outcome = await UnweighedAsync(alone, contenders, cancellationToken);
            if (HasBroken(outcome))
            {
                var variant = VariantOf(contenders, sessions.First());
                var culprit = outcome with { Reason = $"Variant '{variant.Id}' broke down in its heat: {outcome.Reason}" };
                if (Vetting.IsOfTheModel(culprit.Code)) quarantine.Add(sessions.First().Release, variant, culprit.Code, culprit.Reason, time.GetUtcNow());
                leave(sessions, culprit);
            }
            else
            {
                sound.AddRange(sessions);
            }
        }

        if (sound.Count == 0) return null;
        return await HeatAsync(heat with { Sessions = sound, MemoryByteCount = sound.Count == heat.Sessions.Count ? 1 : heat.MemoryByteCount }, contenders, cancellationToken);
    }

    private static bool HasBroken(HeatOutcome outcome) =>
        outcome.Answer is null && (Vetting.IsOfTheModel(outcome.Code) || outcome.Code is ChildExitCodes.Killed or ChildExitCodes.Starved);

    private Heat HeatOf(RaceConditions conditions, List<SessionSpec> sessions, ContenderId? incumbent, IReadOnlyList<Contender> contenders)
    {
        var order = contenders.Select((contender, index) => (contender.Id, index)).ToDictionary(pair => pair.Id, pair => pair.index);
        return new Heat
        {
            Sessions = [.. sessions.OrderBy(session => order[session.Contender])],
            Objective = conditions.Objective,
            BudgetMilliseconds = conditions.BudgetMilliseconds,
            Alpha = Alpha,
            TieMargin = TieMargin,
            Incumbent = incumbent,
            DeadlineMilliseconds = conditions.DeadlineMilliseconds,
            JoulesPerCpuSecond = energy.WattsPerCore,
            // The other half is for what serves meanwhile, for the heat's own process, and for the rest of the board.
            MemoryByteCount = look().MemoryAvailableByteCount / 2,
        };
    }

    private async Task<HeatOutcome> HeatAsync(Heat heat, IReadOnlyList<Contender> contenders, CancellationToken cancellationToken)
    {
        var outcome = await UnweighedAsync(heat, contenders, cancellationToken);
        if (outcome.Answer is not HeatVerdict verdict || heat.Objective == Objective.Latency || energy.Metered is null) return outcome;
        return outcome with { Answer = await new MeteredRace(heats, energy, session => Vetting.LimitsOf(VariantOf(contenders, session)), time).WeighAsync(heat, verdict, cancellationToken) };
    }

    private Task<HeatOutcome> UnweighedAsync(Heat heat, IReadOnlyList<Contender> contenders, CancellationToken cancellationToken)
    {
        var unbudgeted = RunsOutsideBudget * heat.Sessions.Sum(session => Vetting.LongestRun(VariantOf(contenders, session)).TotalSeconds);
        var wall = TimeSpan.FromMilliseconds(heat.BudgetMilliseconds) + ProcessTime + TimeSpan.FromSeconds(Math.Min(unbudgeted, LongestUnbudgeted.TotalSeconds));
        return heats.RunAsync(heat, new HeatLimits
        {
            WallTime = wall,
            CpuTime = wall * Math.Max(1, look().UsableCores),
            MemoryByteCount = ProcessByteCount + heat.Sessions.Max(session => VariantOf(contenders, session).Limits.MemoryByteCount) * heat.Sessions.Count,
        }, cancellationToken);
    }

    // Cores may come and go while the agent runs, and so may the limit; what is free by itself wavers.
    private BoardFacts WithFreeAtRest(BoardFacts now) =>
        now with { MemoryAvailableByteCount = Math.Min(_freeAtRest ??= now.MemoryAvailableByteCount, now.MemoryLimitByteCount) };

    private static Variant VariantOf(IReadOnlyList<Contender> contenders, SessionSpec session) =>
        contenders.First(contender => contender.Variant.Id == session.Contender.Variant).Variant;
}
