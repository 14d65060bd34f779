using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Dunlin.Bench.Loops;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Micro;

namespace Dunlin.Bench;

/// <summary>The command line of the bench.</summary>
internal static class BenchCommand
{
    private static readonly Option<DirectoryInfo> Repository = new("--repository") { Description = "The project's root.", DefaultValueFactory = _ => new DirectoryInfo("."), Recursive = true };
    private static readonly Option<DirectoryInfo?> Work = new("--work") { Description = "Where models, frames and states are kept. Default: artifacts/bench.", Recursive = true };
    private static readonly Option<bool> Quick = new("--quick") { Description = "See whether it works; docs/performance.md stays as it is." };
    private static readonly Option<FileInfo?> Page = new("--page") { Description = "The page to write. Default: docs/performance.md, unless --quick or topics are given." };
    private static readonly Argument<string[]> Only = new("topic") { Description = $"Some of {string.Join(", ", BenchRun.TopicNames)}; default: all.", Arity = ArgumentArity.ZeroOrMore };

    public static RootCommand Create()
    {
        var all = new Command("all", "Measures whole processes side by side and writes docs/performance.md.") { Only, Quick, Page };
        all.SetAction((result, cancellationToken) => new BenchRun(WorkshopOf(result), result.GetValue(Quick) ? Settings.Quick : Settings.Full, result.GetValue(Only)!, PageOf(result)).RunAsync(cancellationToken));
        var micro = new Command("micro", "Measures the parts by BenchmarkDotNet.");
        micro.SetAction(_ => Measure());
        return new RootCommand("Measures Dunlin.") { Repository, Work, all, micro, Bare(), Paced(), Yuyv() };
    }

    private static Workshop WorkshopOf(ParseResult result)
    {
        var repository = result.GetValue(Repository)!.FullName;
        return new Workshop(repository, result.GetValue(Work)?.FullName ?? Path.Combine(repository, "artifacts", "bench"));
    }

    private static string? PageOf(ParseResult result) => result.GetValue(Page)?.FullName
        ?? (result.GetValue(Quick) || result.GetValue(Only)!.Length > 0 ? null : Path.Combine(result.GetValue(Repository)!.FullName, "docs", "performance.md"));

    private static void Measure()
    {
        // A process per benchmark would be built by BenchmarkDotNet in folders that this project's build does not have.
        var configuration = DefaultConfig.Instance.AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)).WithArtifactsPath(Path.Combine("artifacts", "bench", "micro"));
        BenchmarkRunner.Run([typeof(PreprocessingBenchmarks), typeof(ResultBenchmarks)], configuration);
    }

    private static Command Bare()
    {
        var (model, seconds) = (new Argument<string>("model"), new Argument<double>("seconds"));
        var command = new Command(BareLoop.Verb) { model, seconds };
        command.Hidden = true;
        command.SetAction(result => Console.Write(BareLoop.Run(result.GetValue(model)!, Settings.WarmUp / 2, TimeSpan.FromSeconds(result.GetValue(seconds)))));
        return command;
    }

    private static Command Paced()
    {
        var (model, frames, rate, seconds) = (new Argument<string>("model"), new Argument<string>("frames"), new Argument<double>("rate"), new Argument<double>("seconds"));
        var command = new Command(PacedLoop.Verb) { model, frames, rate, seconds };
        command.Hidden = true;
        command.SetAction(async (result, _) => await Console.Out.WriteAsync((await PacedLoop.RunAsync(
            result.GetValue(model)!, result.GetValue(frames)!, result.GetValue(rate), Settings.WarmUp, TimeSpan.FromSeconds(result.GetValue(seconds)))).ToString()));
        return command;
    }

    private static Command Yuyv()
    {
        var (work, variant, port, device) = (new Argument<string>("work"), new Argument<string>("variant"), new Argument<int>("port"), new Argument<string>("device"));
        var command = new Command(YuyvLoop.Verb) { work, variant, port, device };
        command.Hidden = true;
        command.SetAction((result, cancellationToken) => new YuyvLoop(
            new Workshop(result.GetValue(Repository)!.FullName, result.GetValue(work)!), result.GetValue(variant)!, result.GetValue(port), result.GetValue(device)!).RunAsync(cancellationToken));
        return command;
    }
}
