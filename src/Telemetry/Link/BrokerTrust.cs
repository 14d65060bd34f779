using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dunlin.Telemetry.Link;

/// <summary>Which brokers this device believes, and how it shows itself. Files are read anew for each connection, so that a renewed certificate counts.</summary>
internal sealed class BrokerTrust(MqttOptions options, LinkWords words, Func<DateTimeOffset> now)
{
    private string? _refusal;

    /// <summary>Wraps a connection; throws <see cref="BrokerTrustException"/> with the reason where the broker is not believed.</summary>
    public async Task<Stream> SecureAsync(Stream stream, CancellationToken cancellationToken)
    {
        var tls = new SslStream(stream);
        var own = new X509Certificate2Collection();
        try
        {
            LoadOwn(own);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = options.Host,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ClientCertificateContext = own.Count == 0 ? null : SslStreamCertificateContext.Create(own[0], own, offline: true),
                    CertificateChainPolicy = Policy(),
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (_refusal = Refusal(certificate, chain, errors)) is null,
                },
                cancellationToken);
            return tls;
        }
        catch (AuthenticationException e) when (_refusal is not null)
        {
            await tls.DisposeAsync();
            throw new BrokerTrustException(_refusal, e);
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
        finally
        {
            foreach (var certificate in own) certificate.Dispose();
        }
    }

    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy
        {
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = now().LocalDateTime,
            DisableCertificateDownloads = true,
        };
        policy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        if (options.CaFile.Length == 0) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.ImportFromPemFile(options.CaFile);
        return policy;
    }

    /// <summary>The device's certificate with its key, and the intermediates behind it: a broker that trusts the root alone needs them.</summary>
    private void LoadOwn(X509Certificate2Collection own)
    {
        if (options.CertificateFile.Length == 0) return;
        own.Add(X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile));
        var file = new X509Certificate2Collection();
        file.ImportFromPemFile(options.CertificateFile);
        file[0].Dispose();
        for (var i = 1; i < file.Count; i++) own.Add(file[i]);
    }

    private string? Refusal(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var broker = ConnectFailure.Address(options);
        if (certificate is not X509Certificate2 shown) return $"Broker {broker} showed no certificate.";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            var status = chain?.ChainStatus.FirstOrDefault() ?? default;
            return status.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)
                ? $"The certificate of broker {broker} is valid from {shown.NotBefore.ToUniversalTime():u} to {shown.NotAfter.ToUniversalTime():u}, and it is {now().ToUniversalTime():u} here; renew it, or set {words.Clock}."
                : $"The certificate of broker {broker} ('{shown.Subject}' by '{shown.Issuer}') is not signed by {Authority()} ({status.Status}); check {words.Authority}, or whether this is another broker.";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return $"The certificate of broker {broker} ('{shown.Subject}') is not for the host '{options.Host}'; set {words.Host} to a name in the certificate, or issue one with this name.";
        return options.CrlFile.Length > 0 && chain is not null && RevocationLists.Read(options.CrlFile).HasAny(chain)
            ? $"The certificate of broker {broker} ('{shown.Subject}') is revoked by {options.CrlFile}; issue a new one."
            : null;
    }

    private string Authority() => options.CaFile.Length > 0 ? $"an authority in {options.CaFile}" : "an authority that this system trusts";
}

/// <summary>The broker is not whom the device trusts; the message says why and what to do.</summary>
internal sealed class BrokerTrustException(string message, Exception inner) : Exception(message, inner);
